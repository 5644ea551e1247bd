/*
 * What the brokers have, for turnout-ingest offsets: a client of its own that
 * joins no group and disturbs no daemon, reads at most two records of a
 * partition, and is gone after a few seconds whatever the brokers do.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ingest/consumer_internal.h"
#include "lib/clock.h"
#include "lib/xalloc.h"

#define ASK_MS 5000
#define CLOSE_MS 1000

/* A partition, and what is still to be seen of it. */
struct look {
	const struct offset_row *row; /* NULL = it has none */
	bool verify;		      /* the last record that was applied */
	bool unread;		      /* the first one that was not */
};

struct ask {
	struct consumer *c;
	struct answer *answer;
	struct look *looks; /* by partition, as answer->parts */
	int64_t deadline;
};

static void
say_why(struct consumer *c, struct answer *a)
{
	rd_kafka_message_t *rkm = rd_kafka_consumer_poll(c->rk, 0);

	/* on_error() has run now, if there was an error. */
	if (rkm != NULL)
		rd_kafka_message_destroy(rkm);
	snprintf(a->why, sizeof(a->why),
	    "could not ask Kafka about topic \"%.100s\": %.350s",
	    c->conf->kafka_topic,
	    c->errstr[0] == '\0' ? "no answer, or no such topic" : c->errstr);
}

static int
find_partitions(struct ask *ask, const struct offset_row *rows, size_t n)
{
	struct answer *a = ask->answer;
	struct consumer *c = ask->c;
	size_t i;

	a->nparts = consumer_count_partitions(c, clock_left_ms(ask->deadline));
	if (a->nparts > 0)
		c->cluster_id = rd_kafka_clusterid(
		    c->rk, clock_left_ms(ask->deadline));
	if (a->nparts <= 0 || c->cluster_id == NULL) {
		a->nparts = 0;
		say_why(c, a);
		return -1;
	}
	a->parts = xcalloc((size_t)a->nparts, sizeof(*a->parts));
	ask->looks = xcalloc((size_t)a->nparts, sizeof(*ask->looks));
	for (i = 0; i < (size_t)a->nparts; i++)
		a->parts[i].unread_ts = INT64_MIN;
	for (i = 0; i < n; i++)
		if (rows[i].part < a->nparts)
			ask->looks[rows[i].part].row = &rows[i];
	return 0;
}

/* The watch thread asks for the marks: that question may hang. */
static void
wait_marks(struct ask *ask)
{
	struct timespec tick = { .tv_nsec = 10000000 };
	struct answer *a = ask->answer;
	struct watermark mark;
	int32_t i, known = 0;

	watch_partitions(ask->c, a->nparts);
	while (known < a->nparts && clock_left_ms(ask->deadline) > 0) {
		nanosleep(&tick, NULL);
		for (i = known = 0; i < a->nparts; i++) {
			if (!watch_get(ask->c, i, 0, &mark))
				continue;
			a->parts[i].known = true;
			a->parts[i].low = mark.low;
			a->parts[i].high = mark.high;
			known++;
		}
	}
}

/* Judges what needs no record, and says which records are wanted. */
static void
judge_marks(struct ask *ask, struct asked *part, struct look *look)
{
	const struct offset_row *row = look->row;
	struct place *place = &part->place;

	if (row == NULL || !part->known)
		return;
	place->low = part->low;
	place->high = part->high;
	snprintf(place->cluster_id, sizeof(place->cluster_id), "%s",
	    ask->c->cluster_id);
	place->fault = place_cluster(row, ask->c->cluster_id);
	if (place->fault == PLACE_OK)
		place->fault = place_range(
		    row->next_offset, part->low, part->high);
	if (place->fault == PLACE_OK) {
		/* What retention has removed cannot be compared. */
		look->verify = place_has_record(row) &&
		    row->last_offset >= part->low;
		look->unread = row->next_offset < part->high;
	}
	part->judged = !look->verify;
}

/* Returns how many partitions are to be read. */
static int
assign(struct ask *ask)
{
	rd_kafka_topic_partition_list_t *list;
	const struct look *look;
	int32_t i;
	int n;

	list = rd_kafka_topic_partition_list_new(ask->answer->nparts);
	for (i = 0; i < ask->answer->nparts; i++) {
		look = &ask->looks[i];
		if (look->verify || look->unread)
			rd_kafka_topic_partition_list_add(
			    list, ask->c->conf->kafka_topic, i)
			    ->offset = look->verify ? look->row->last_offset
						    : look->row->next_offset;
	}
	n = list->cnt;
	if (n > 0 &&
	    rd_kafka_assign(ask->c->rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
		n = 0;
	rd_kafka_topic_partition_list_destroy(list);
	return n;
}

/* One record, or the end of a partition; true when no more is wanted of it. */
static bool
see(struct ask *ask, const rd_kafka_message_t *rkm)
{
	struct asked *part = &ask->answer->parts[rkm->partition];
	struct look *look = &ask->looks[rkm->partition];
	bool at_end = rkm->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
	struct place_record found;

	if ((rkm->err != RD_KAFKA_RESP_ERR_NO_ERROR && !at_end) ||
	    !(look->verify || look->unread))
		return false;
	if (look->verify) {
		found = consumer_fingerprint(rkm);
		part->place.fault = at_end ? PLACE_MISSING
					   : place_record(look->row, &found);
		part->judged = true;
		look->verify = false;
		look->unread = look->unread && part->place.fault == PLACE_OK;
	} else if (at_end) {
		look->unread = false;
	} else if (rkm->offset >= look->row->next_offset) {
		part->unread_ts = rd_kafka_message_timestamp(rkm, NULL);
		look->unread = false;
	}
	return !look->verify && !look->unread;
}

static void
read_records(struct ask *ask)
{
	rd_kafka_message_t *rkm;
	int wanted = assign(ask);

	while (wanted > 0 && clock_left_ms(ask->deadline) > 0) {
		rkm = rd_kafka_consumer_poll(
		    ask->c->rk, clock_left_ms(ask->deadline));
		if (rkm == NULL)
			continue;
		if (rkm->partition >= 0 &&
		    rkm->partition < ask->answer->nparts && see(ask, rkm))
			wanted--;
		rd_kafka_message_destroy(rkm);
	}
}

/*
 * Asks the brokers about the topic, for at most some seconds.  rows are those
 * of the database, by which each partition is judged (n = 0: none is).
 */
void
consumer_ask(const struct ingest_conf *conf, const struct offset_row *rows,
    size_t n, struct answer *a)
{
	struct ask ask = { .answer = a, .deadline = clock_mono_ms() + ASK_MS };
	int32_t i;

	memset(a, 0, sizeof(*a));
	ask.c = consumer_new(conf, true);
	if (ask.c->errstr[0] != '\0') {
		snprintf(a->why, sizeof(a->why), "%s", ask.c->errstr);
	} else if (find_partitions(&ask, rows, n) == 0) {
		wait_marks(&ask);
		for (i = 0; i < a->nparts; i++)
			judge_marks(&ask, &a->parts[i], &ask.looks[i]);
		read_records(&ask);
	}
	free(ask.looks);
	a->hung = !consumer_close(ask.c, CLOSE_MS);
}

void
consumer_ask_free(struct answer *a)
{
	free(a->parts);
	memset(a, 0, sizeof(*a));
}
