/*
 * The member of the group: which partitions are ours.  It fetches nothing, so
 * that a rebalance costs no more than the partitions that change hands:
 *
 *   revoked	read on: until the group has decided, nobody else can be told
 *		to read what is ours
 *   given	what is new is placed (consumer_place.c), what is not among it
 *		any more is read no further and released when it is stored
 *
 * A group that thinks us dead decides without us.  Then two daemons read a
 * partition, and the fence of the offsets lets one of them write it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/consumer_internal.h"
#include "ingest/counters.h"
#include "ingest/offsets.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/xalloc.h"

/* No group waits longer for a member (max.poll.interval.ms): ours is lost. */
#define BETWEEN_MS 60000

static void
leave(struct consumer *c, struct part *p)
{
	consumer_leave_part(c, p);
	c->nleaving += !p->leaving;
	p->leaving = true;
	p->doubt_ms = 0;
}

static void
leave_all(struct consumer *c)
{
	size_t i;

	for (i = 0; i < c->nparts; i++)
		leave(c, &c->parts[i]);
	consumer_count_reading(c);
}

/* Given back before the last of it was stored: as if it had never left. */
static void
come_back(struct consumer *c, struct part *p)
{
	p->leaving = false;
	c->nleaving--;
	p->since_ms = clock_mono_ms();
	if (p->placed && !p->stopped)
		consumer_read_part(c, p);
}

static void
add(struct consumer *c, int32_t id)
{
	c->parts = xreallocarray(c->parts, c->nparts + 1, sizeof(*c->parts));
	c->parts[c->nparts++] = (struct part){ .id = id,
		.since_ms = clock_mono_ms(),
		.applied = -1,
		.last_offset = INT64_MIN };
}

/* What we have is to be what the group says. */
static void
take(struct consumer *c, rd_kafka_topic_partition_list_t *list)
{
	const char *topic = c->conf->kafka_topic;
	size_t had = c->nparts, i;
	int fresh = 0, lost = 0, n;
	struct part *p;

	for (i = 0; i < had; i++) {
		p = &c->parts[i];
		if (p->leaving ||
		    rd_kafka_topic_partition_list_find(list, topic, p->id))
			continue;
		leave(c, p);
		lost++;
	}
	for (n = 0; n < list->cnt; n++) {
		p = consumer_part(c, list->elems[n].partition);
		if (p != NULL && !p->leaving)
			continue;
		if (p != NULL)
			come_back(c, p);
		else
			add(c, list->elems[n].partition);
		fresh++;
	}
	consumer_count_reading(c);
	log_info("the group gave us %d partitions of \"%s\": %d more, and %d "
		 "are no longer ours",
	    list->cnt, topic, fresh, lost);
}

/* Runs inside rd_kafka_consumer_poll(), on the only thread that polls. */
static void
on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque)
{
	rd_kafka_topic_partition_list_t *nothing;
	struct consumer *c = opaque;
	bool lost;

	if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		c->between_ms = 0;
		nothing = rd_kafka_topic_partition_list_new(0);
		rd_kafka_assign(rk, nothing);
		rd_kafka_topic_partition_list_destroy(nothing);
		take(c, list);
		return;
	}
	c->between_ms = clock_mono_ms();
	lost = err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS ||
	    rd_kafka_assignment_lost(rk);
	rd_kafka_assign(rk, NULL);
	if (!lost || c->closing)
		return;
	log_info("the group has given up on us, and we gave up all partitions "
		 "of \"%s\"",
	    c->conf->kafka_topic);
	leave_all(c);
}

/* An offset that the group has taken is the sign that all is well with it. */
static void
on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct consumer *c = opaque;

	(void)rk;
	(void)list;
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		log_trouble_over(&c->member_trouble);
}

/* Joins the group; -1 with the reason in consumer_errstr(). */
int
member_join(struct consumer *c)
{
	rd_kafka_conf_t *conf = consumer_conf(c);
	rd_kafka_topic_partition_list_t *topics;
	rd_kafka_resp_err_t err;
	char why[256];

	if (conf == NULL)
		return -1;
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
	rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
	c->member = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (c->member == NULL) {
		rd_kafka_conf_destroy(conf);
		snprintf(c->errstr, sizeof(c->errstr), "%s", why);
		return -1;
	}
	rd_kafka_poll_set_consumer(c->member);
	topics = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(
	    topics, c->conf->kafka_topic, RD_KAFKA_PARTITION_UA);
	err = rd_kafka_subscribe(c->member, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	snprintf(c->errstr, sizeof(c->errstr), "could not subscribe: %s",
	    rd_kafka_err2str(err));
	return -1;
}

/*
 * Tells Kafka how far each partition is stored, if it does not know: for
 * people's lag tools only.  Not while the group decides: librdkafka 2.0.2 takes
 * the answer to such a commit for the loss of all partitions.
 */
void
member_tell(struct consumer *c)
{
	rd_kafka_topic_partition_list_t *list;
	size_t i;

	if (!c->untold || c->between_ms != 0)
		return;
	list = rd_kafka_topic_partition_list_new((int)c->nparts);
	for (i = 0; i < c->nparts; i++)
		if (!c->parts[i].leaving && c->parts[i].applied > 0)
			rd_kafka_topic_partition_list_add(
			    list, c->conf->kafka_topic, c->parts[i].id)
			    ->offset = c->parts[i].applied;
	if (list->cnt > 0)
		rd_kafka_commit(c->member, list, 1);
	rd_kafka_topic_partition_list_destroy(list);
	c->untold = false;
}

/*
 * Hears what the group has decided.  Must be called at least every 60 s;
 * while it is not, a rebalance waits for us.  Never waits.
 */
void
consumer_serve(struct consumer *c)
{
	rd_kafka_message_t *rkm = rd_kafka_consumer_poll(c->member, 0);

	consumer_awake(c);
	if (rkm != NULL) {
		log_trouble(&c->member_trouble, "Kafka: %s",
		    rd_kafka_message_errstr(rkm));
		rd_kafka_message_destroy(rkm);
	}
	if (c->between_ms != 0 && c->nleaving < c->nparts &&
	    clock_mono_ms() - c->between_ms > BETWEEN_MS) {
		log_warn("the group has not decided for %d s; gave up all "
			 "partitions of \"%s\"",
		    BETWEEN_MS / 1000, c->conf->kafka_topic);
		leave_all(c);
	}
	member_tell(c);
}

/* Are there partitions whose last records should be stored soon? */
bool
consumer_leaving(const struct consumer *c)
{
	return c->nleaving > 0;
}

/* Another writer has moved an offset of ours. */
void
consumer_fenced(struct consumer *c)
{
	consumer_park(c);
	/* The group may have gone on without us: wait for what it says. */
	if (c->between_ms != 0)
		leave_all(c);
}

/* The storer has b now. */
void
consumer_given(struct consumer *c, const struct batch *b)
{
	struct part *p;
	size_t i;

	for (i = 0; i < b->nmoves; i++)
		if ((p = consumer_part(c, b->moves[i].part)) != NULL)
			p->in_flight = true;
}

/* The storer has nothing any more, whatever came of it. */
void
consumer_settled(struct consumer *c)
{
	size_t i;

	for (i = 0; i < c->nparts; i++)
		c->parts[i].in_flight = false;
}

/* A batch is stored: that is how far its partitions are. */
void
consumer_applied(struct consumer *c, const struct batch *b)
{
	const struct move *m;
	struct part *p;
	size_t i;

	for (i = 0; i < b->nmoves; i++) {
		m = &b->moves[i];
		p = consumer_part(c, m->part);
		if (p == NULL || m->next <= m->expected)
			continue;
		p->applied = m->next;
		c->untold = true;
	}
}

/*
 * Lets go of the partitions that are another daemon's, once nothing of them
 * is left here: neither with the storer nor in the open batch.
 */
void
consumer_release(
    struct consumer *c, const struct batch *open, struct db *db, int timeout_ms)
{
	struct claim *gone = NULL;
	size_t i, kept = 0, n = 0;
	struct part *p;

	for (i = 0; i < c->nparts; i++) {
		p = &c->parts[i];
		if (!p->leaving || p->in_flight || batch_moves(open, p->id)) {
			c->parts[kept++] = *p;
			continue;
		}
		gone = xreallocarray(gone, n + 1, sizeof(*gone));
		gone[n++].part = p->id;
		c->nleaving--;
	}
	c->nparts = kept;
	/* A connection that is gone has no claims any more. */
	if (n > 0 && db_connected(db) &&
	    offsets_release(db, c->conf->kafka_topic, gone, n, timeout_ms) ==
		-1)
		db_drop(db);
	free(gone);
}
