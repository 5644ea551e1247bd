/* The Kafka side; see consumer.h.  Positions: consumer_place.c. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/consumer_internal.h"
#include "ingest/counters.h"
#include "lib/clock.h"
#include "lib/xalloc.h"

#define WATERMARK_FRESH_MS 3000
#define DOUBT_MS 10000 /* out of range, and no watermarks */
/* librdkafka would silently stop reading when nobody polls for as long. */
#define NEVER_MS "86400000"

/* clang-format off */
static const struct { const char *name, *value; } settings[] = {
	{ "enable.auto.commit", "false" },
	{ "enable.auto.offset.store", "false" },
	{ "auto.offset.reset", "error" },          /* never a silent skip */
	{ "isolation.level", "read_committed" },
	{ "check.crcs", "true" },
	{ "partition.assignment.strategy", "range" },
	{ "allow.auto.create.topics", "false" },
	{ "session.timeout.ms", "10000" },
	{ "heartbeat.interval.ms", "200" }, /* how soon a rebalance is seen */
	{ "max.poll.interval.ms", "60000" },
	{ "socket.timeout.ms", "10000" },
	{ "socket.keepalive.enable", "true" },
	{ "topic.metadata.refresh.interval.ms", "10000" },
	/* A full queue makes librdkafka 2.0.2 wait a whole second before it
	 * fetches again: it must hold more than a second of reading. */
	{ "queued.max.messages.kbytes", "49152" },
	{ "fetch.message.max.bytes", "1048576" },
	{ "fetch.max.bytes", "8388608" },
	{ "receive.message.max.bytes", "16777216" },
	{ "fetch.wait.max.ms", "100" },
	{ "reconnect.backoff.max.ms", "1000" },
};
/* clang-format on */

static void
on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
	(void)rk;
	log_debug("librdkafka %d %s: %s", level, fac, text);
}

/*
 * After these the log may be another one: its topic was gone, or its broker
 * was, and the next one to lead may lack the end of what that one had.
 */
static bool
log_may_differ(int err)
{
	return err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
	    err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
	    err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	    err == RD_KAFKA_RESP_ERR__TRANSPORT ||
	    err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

static void
on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
	struct consumer *c = opaque;

	if (rk == c->rk && log_may_differ(err))
		c->recheck = true;
	if (err == RD_KAFKA_RESP_ERR__FATAL)
		rd_kafka_fatal_error(rk, c->errstr, sizeof(c->errstr));
	else if (c->asking)
		snprintf(c->errstr, sizeof(c->errstr), "%s", reason);
	else
		log_trouble(rk == c->member ? &c->member_trouble : &c->trouble,
		    "Kafka: %s: %s", rd_kafka_err2name(err), reason);
}

static int
set(struct consumer *c, rd_kafka_conf_t *conf, const char *name,
    const char *value)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) ==
	    RD_KAFKA_CONF_OK)
		return 0;
	snprintf(c->errstr, sizeof(c->errstr), "rdkafka.%s: %s", name, why);
	return -1;
}

/* The configuration of a client; NULL with the reason in errstr. */
rd_kafka_conf_t *
consumer_conf(struct consumer *c)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	const struct ingest_conf *mine = c->conf;
	size_t i;

	for (i = 0; i < NITEMS(settings); i++)
		if (set(c, conf, settings[i].name, settings[i].value) == -1)
			goto fault;
	for (i = 0; i < mine->rdkafka.n; i++)
		if (set(c, conf, mine->rdkafka.names[i],
			mine->rdkafka.values[i]) == -1)
			goto fault;
	if (set(c, conf, "bootstrap.servers", mine->kafka_brokers) == -1 ||
	    set(c, conf, "group.id", mine->kafka_group) == -1 ||
	    set(c, conf, "client.id", "turnout-ingest") == -1 ||
	    (c->asking && set(c, conf, "enable.partition.eof", "true") == -1))
		goto fault;
	rd_kafka_conf_set_opaque(conf, c);
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_error_cb(conf, on_error);
	return conf;
fault:
	rd_kafka_conf_destroy(conf);
	return NULL;
}

/* Would librdkafka take this configuration?  -1 with its complaint in *why. */
int
consumer_check(const struct ingest_conf *conf, struct buf *why)
{
	struct consumer probe = { .conf = conf };
	rd_kafka_conf_t *rkconf = consumer_conf(&probe);

	if (rkconf == NULL) {
		buf_adds(why, probe.errstr);
		return -1;
	}
	rd_kafka_conf_destroy(rkconf);
	return 0;
}

/* The version of librdkafka, for the ready line. */
const char *
consumer_library(void)
{
	return rd_kafka_version_str();
}

/*
 * A client that reads and is in no group; asking: it is a look at what the
 * brokers have.  Always returns a handle; consumer_errstr() is "" when it
 * works, else the reason.
 */
struct consumer *
consumer_new(const struct ingest_conf *conf, bool asking)
{
	struct consumer *c = xcalloc(1, sizeof(*c));
	rd_kafka_conf_t *rkconf;
	char why[256];

	c->conf = conf;
	c->asking = asking;
	c->trouble.what = "Kafka";
	c->member_trouble.what = "the consumer group";
	c->why_trouble.what = "why partitions are stopped";
	if ((rkconf = consumer_conf(c)) == NULL ||
	    set(c, rkconf, "max.poll.interval.ms", NEVER_MS) == -1)
		goto fault;
	c->rk = rd_kafka_new(RD_KAFKA_CONSUMER, rkconf, why, sizeof(why));
	if (c->rk == NULL) {
		snprintf(c->errstr, sizeof(c->errstr), "%s", why);
		goto fault;
	}
	/* rd_kafka_new() owns rkconf now. */
	rd_kafka_poll_set_consumer(c->rk);
	watch_start(c);
	return c;
fault:
	if (rkconf != NULL)
		rd_kafka_conf_destroy(rkconf);
	return c;
}

/*
 * Joins the group.  Returns a handle as consumer_new() does.  The
 * configuration is borrowed.
 */
struct consumer *
consumer_open(const struct ingest_conf *conf)
{
	struct consumer *c = consumer_new(conf, false);

	if (c->rk != NULL)
		(void)member_join(c); /* consumer_errstr() has the reason */
	return c;
}

const char *
consumer_errstr(const struct consumer *c)
{
	return c->errstr;
}

const char *
consumer_cluster(const struct consumer *c)
{
	return c->cluster_id;
}

/* What an error event means; true when positions must be made anew. */
static bool
judge_error(struct consumer *c, const rd_kafka_message_t *rkm)
{
	struct place corrupt = { .fault = PLACE_CORRUPT };
	struct part *p = consumer_part(c, rkm->partition);

	switch (rkm->err) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		return false;
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		if (p != NULL && p->doubt_ms == 0)
			p->doubt_ms = clock_mono_ms();
		return false;
	case RD_KAFKA_RESP_ERR__BAD_MSG:
	case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
		if (p == NULL || p->stopped)
			return false;
		consumer_stop_part(p, &corrupt);
		return true;
	default:
		log_trouble(
		    &c->trouble, "Kafka: %s", rd_kafka_message_errstr(rkm));
		return false;
	}
}

/*
 * The broker does not have the offset of p: do the watermarks say that nothing
 * is lost?  Then it is begun anew, which librdkafka needs; the other partitions
 * know nothing of it.  False: p is stopped.
 */
static bool
judge_doubt(struct consumer *c, struct part *p, const struct watermark *mark)
{
	struct place place = { .fault = place_range(
				   p->next, mark->low, mark->high),
		.low = mark->low,
		.high = mark->high };

	p->doubt_ms = 0;
	if (place.fault != PLACE_OK) {
		consumer_stop_part(p, &place);
		return false;
	}
	if (p->verifying && p->last_offset < mark->low) {
		log_warn("%s[%d]: retention has removed record %lld, the last "
			 "one applied; going on at %lld without checking it",
		    c->conf->kafka_topic, (int)p->id, (long long)p->last_offset,
		    (long long)p->next);
		p->verifying = false;
	}
	consumer_begin_anew(c, p);
	return true;
}

/* All such partitions; true when positions must be made anew. */
static bool
judge_doubts(struct consumer *c)
{
	struct watermark mark;
	bool again = false;
	struct part *p;
	size_t i;

	for (i = 0; i < c->nparts; i++) {
		p = &c->parts[i];
		if (p->doubt_ms == 0 || !p->reading)
			continue;
		if (watch_get(c, p->id, p->doubt_ms + 1, &mark))
			again = !judge_doubt(c, p, &mark) || again;
		else if (clock_mono_ms() - p->doubt_ms > DOUBT_MS)
			log_trouble(&c->trouble,
			    "the brokers do not have offset %lld of %s[%d], "
			    "nor say where it begins and ends",
			    (long long)p->next, c->conf->kafka_topic,
			    (int)p->id);
	}
	return again;
}

/* The record that a fresh position must begin with: is it still the same? */
static enum consumer_event
verify(struct consumer *c, struct part *p)
{
	struct place_record found = consumer_fingerprint(c->rkm);
	struct place place = { .fault = place_record(&p->row, &found) };

	if (place.fault == PLACE_OK) {
		p->verifying = false;
		return CONSUMER_NOTHING;
	}
	consumer_stop_part(p, &place);
	consumer_park(c);
	return CONSUMER_MOVED;
}

static enum consumer_event
judge_record(struct consumer *c)
{
	struct part *p = consumer_part(c, c->rkm->partition);

	if (p != NULL && p->reading && p->verifying)
		return verify(c, p);
	if (p == NULL || !p->reading || c->rkm->offset < p->next) {
		count_add(COUNT_STALE, 1);
		return CONSUMER_NOTHING;
	}
	log_trouble_over(&c->trouble);
	return CONSUMER_RECORD;
}

/* Waits at most timeout_ms for the next thing to happen. */
enum consumer_event
consumer_poll(struct consumer *c, int timeout_ms)
{
	if (c->rkm != NULL)
		rd_kafka_message_destroy(c->rkm);
	c->rkm = rd_kafka_consumer_poll(c->rk, timeout_ms);
	consumer_awake(c);
	if (rd_kafka_fatal_error(c->rk, c->errstr, sizeof(c->errstr)) != 0 ||
	    rd_kafka_fatal_error(c->member, c->errstr, sizeof(c->errstr)) != 0)
		return CONSUMER_FATAL;
	if (c->broken) {
		c->broken = false;
		consumer_park(c);
		return CONSUMER_MOVED;
	}
	if (c->recheck) {
		/* What came behind that error comes again. */
		consumer_recheck(c);
		return CONSUMER_NOTHING;
	}
	if (c->rkm == NULL || c->rkm->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		if ((c->rkm != NULL && judge_error(c, c->rkm)) ||
		    judge_doubts(c)) {
			consumer_park(c);
			return CONSUMER_MOVED;
		}
		return CONSUMER_NOTHING;
	}
	return judge_record(c);
}

/*
 * The record of CONSUMER_RECORD, borrowed until the next poll; its partition
 * is moved past it, and b's move of that partition too.
 */
void
consumer_record(struct consumer *c, struct incoming *in, struct batch *b)
{
	const rd_kafka_message_t *rkm = c->rkm;
	struct part *p = consumer_part(c, rkm->partition);
	int64_t ts = rd_kafka_message_timestamp(rkm, NULL);
	struct move *m = batch_move(b, p->id, p->next);

	*in = (struct incoming){
		.pos = { .ts = ts, .part = p->id, .offset = rkm->offset },
		.has_ts = ts >= 0,
		.key = rkm->key,
		.key_len = rkm->key_len,
		.value = rkm->payload,
		.value_len = rkm->len
	};
	p->next = m->next = rkm->offset + 1;
	p->last_offset = m->last_offset = rkm->offset;
	p->last_ts = m->last_ts = ts;
	p->last_crc = m->last_crc = consumer_fingerprint(rkm).crc;
}

/*
 * Adds to b what is known of each partition's end, with a move of nothing
 * where b has none.  Returns how many partitions are known.
 */
size_t
consumer_heartbeat(struct consumer *c, struct batch *b)
{
	int64_t now = clock_mono_ms();
	struct watermark mark;
	size_t i, known = 0;
	struct part *p;

	for (i = 0; i < c->nparts; i++) {
		p = &c->parts[i];
		if (!p->reading ||
		    !watch_get(c, p->id, now - WATERMARK_FRESH_MS, &mark))
			continue;
		known++;
		batch_move(b, p->id, p->next)->high = mark.high;
	}
	return known;
}
