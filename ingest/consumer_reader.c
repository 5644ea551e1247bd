/*
 * The reader: a client in no group, which is told partition by partition what
 * to read.  Its records come by consumer_poll().
 */
#include "config.h"

#include "ingest/consumer_internal.h"
#include "ingest/counters.h"
#include "lib/clock.h"

#define ASLEEP_MS 1000 /* a turn of the daemon's loop is a tenth of it */

/* The gauges of what is read, and of what is stopped. */
void
consumer_count_reading(const struct consumer *c)
{
	int reading = 0, stopped = 0;
	size_t i;

	for (i = 0; i < c->nparts; i++) {
		reading += c->parts[i].reading;
		stopped += c->parts[i].stopped && !c->parts[i].leaving;
	}
	count_set(COUNT_PARTITIONS, reading);
	count_set(COUNT_STOPPED, stopped);
}

typedef rd_kafka_error_t *
change(rd_kafka_t *, const rd_kafka_topic_partition_list_t *);

/* Adds one partition to what is read, or takes it away; false = refused. */
static bool
change_one(struct consumer *c, const struct part *p, change *how, int64_t from)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_error_t *error;

	list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, c->conf->kafka_topic, p->id)
	    ->offset = from;
	error = how(c->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (error == NULL)
		return true;
	log_warn("could not tell librdkafka to read %s[%d], or not to: %s",
	    c->conf->kafka_topic, (int)p->id, rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	return false;
}

/* Begins at the place of a partition. */
void
consumer_read_part(struct consumer *c, struct part *p)
{
	p->reading = change_one(c, p, rd_kafka_incremental_assign,
	    p->verifying ? p->last_offset : p->next);
	if (!p->reading)
		c->broken = true;
}

/* Its records are not ours any more, if they come all the same. */
void
consumer_leave_part(struct consumer *c, struct part *p)
{
	if (p->reading)
		(void)change_one(c, p, rd_kafka_incremental_unassign,
		    RD_KAFKA_OFFSET_INVALID);
	p->reading = false;
}

/* Reads it from its place once more; what was fetched of it is dropped. */
void
consumer_begin_anew(struct consumer *c, struct part *p)
{
	consumer_leave_part(c, p);
	consumer_read_part(c, p);
}

/*
 * The log may be another one, and have as many records by now: the last one
 * read must be there again before what follows it is taken.  All are begun
 * anew: what was polled last is dropped with it.
 */
void
consumer_recheck(struct consumer *c)
{
	struct part *p;
	size_t i;

	c->recheck = false;
	for (i = 0; i < c->nparts; i++) {
		p = &c->parts[i];
		if (!p->placed || p->stopped)
			continue;
		p->row.next_offset = p->next;
		p->row.last_offset = p->last_offset;
		p->row.last_ts = p->last_ts;
		p->row.last_crc = p->last_crc;
		p->verifying = p->last_offset != INT64_MIN;
		if (p->reading) /* else it leaves, and may come back */
			consumer_begin_anew(c, p);
	}
}

/*
 * A daemon, or a machine, that did not run has not seen what became of the
 * topic: the connections may be as they were.  To be called between a poll
 * and the use of its record, which may be of afterwards.
 */
void
consumer_awake(struct consumer *c)
{
	int64_t now = clock_mono_ms();

	if (c->awake_ms != 0 && now - c->awake_ms > ASLEEP_MS)
		c->recheck = true;
	c->awake_ms = now;
}

/*
 * Reads nothing until all positions have been read again, but stays in the
 * group: PostgreSQL is away, or a position is wrong.
 */
void
consumer_park(struct consumer *c)
{
	size_t i;

	for (i = 0; i < c->nparts; i++)
		c->parts[i].reading = c->parts[i].placed = false;
	rd_kafka_assign(c->rk, NULL);
	consumer_count_reading(c);
	c->parked = true;
}
