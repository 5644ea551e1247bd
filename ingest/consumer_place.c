/*
 * Where to read on: positions from PostgreSQL, the fingerprint that ties them
 * to this topic of this cluster, and what stops a partition.
 *
 * A partition is read from the last record that was applied, which must be
 * the same record still: its timestamp and a hash of its key and value are
 * in the database.  That finds what offsets cannot show: a topic that was
 * deleted and made anew, or a log that was cut and grew again.  So it is when
 * a broker or the topic was away, or the daemon slept (consumer_recheck()).
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "ingest/consumer_internal.h"
#include "ingest/counters.h"
#include "ingest/offsets.h"
#include "ingest/place.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/xalloc.h"

#define METADATA_MS 5000
#define CLUSTER_MS 2000
#define WHY_MS 500 /* somebody may have locked the row */

struct part *
consumer_part(struct consumer *c, int32_t id)
{
	size_t i;

	for (i = 0; i < c->nparts; i++)
		if (c->parts[i].id == id)
			return &c->parts[i];
	return NULL;
}

/*
 * Stops a partition until an operator has decided; the others go on.  The log
 * is told when its row has been read again: the row is what the operator has
 * to change.
 */
void
consumer_stop_part(struct part *p, const struct place *why)
{
	p->place = *why;
	p->stopped = true;
	p->told = false;
	p->reading = false;
}

/* The fingerprint of a record. */
struct place_record
consumer_fingerprint(const rd_kafka_message_t *rkm)
{
	uint64_t key_len = rkm->key == NULL ? UINT64_MAX : rkm->key_len;
	uint64_t seed = XXH64(
	    rkm->key == NULL ? "" : rkm->key, rkm->key_len, key_len);

	return (struct place_record){ .offset = rkm->offset,
		.ts = rd_kafka_message_timestamp(rkm, NULL),
		.crc = (int64_t)XXH64(
		    rkm->payload == NULL ? "" : rkm->payload, rkm->len, seed) };
}

/* How many partitions the topic has; -1 = the brokers do not say. */
int32_t
consumer_count_partitions(struct consumer *c, int timeout_ms)
{
	const struct rd_kafka_metadata *md;
	rd_kafka_topic_t *topic;
	int32_t n = -1;

	topic = rd_kafka_topic_new(c->rk, c->conf->kafka_topic, NULL);
	if (topic == NULL)
		return -1;
	if (rd_kafka_metadata(c->rk, 0, topic, &md, timeout_ms) ==
	    RD_KAFKA_RESP_ERR_NO_ERROR) {
		if (md->topic_cnt == 1 &&
		    md->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR)
			n = md->topics[0].partition_cnt;
		rd_kafka_metadata_destroy(md);
	}
	rd_kafka_topic_destroy(topic);
	return n;
}

/* Keeps the database's reason, and returns it as consumer_place() does. */
static int
db_failed(struct consumer *c, const struct db *db)
{
	snprintf(c->errstr, sizeof(c->errstr), "%s", db_errstr(db));
	return db_fault(db) == DB_FAULT_STOP ? CONSUMER_REFUSED : -1;
}

/*
 * The very first start: the topic has no row.  All partitions get one at
 * once, so that later a partition without a row is known to be new.
 */
static int
bootstrap(struct consumer *c, struct db *db, int timeout_ms)
{
	bool latest = c->conf->kafka_start == KAFKA_START_LATEST;
	struct watermark *marks = NULL;
	int32_t n, i;
	int rc = -1;

	n = consumer_count_partitions(c, METADATA_MS);
	if (n <= 0) {
		snprintf(c->errstr, sizeof(c->errstr),
		    "could not read the partitions of topic \"%s\"",
		    c->conf->kafka_topic);
		return -1;
	}
	watch_partitions(c, n);
	marks = xcalloc((size_t)n, sizeof(*marks));
	for (i = 0; i < n; i++) {
		if (!watch_get(c, i, 0, &marks[i])) {
			snprintf(c->errstr, sizeof(c->errstr),
			    "waiting for the offsets of topic \"%s\"",
			    c->conf->kafka_topic);
			goto out;
		}
	}
	/* A crash must not take this back: "latest" would be another offset. */
	if (db_exec(db, "BEGIN", timeout_ms) == -1 ||
	    db_exec(db, "SET LOCAL synchronous_commit = on", timeout_ms) == -1)
		goto fault;
	for (i = 0; i < n; i++)
		if (offsets_create(db, c->conf->kafka_topic, i,
			latest ? marks[i].high : marks[i].low,
			timeout_ms) == -1)
			goto fault;
	if (db_commit(db, timeout_ms) == -1)
		goto fault;
	log_info("first start on topic \"%s\": %d partitions, from the %s "
		 "record",
	    c->conf->kafka_topic, (int)n, latest ? "next" : "earliest");
	rc = 0;
	goto out;
fault:
	rc = db_failed(c, db);
	db_drop(db);
out:
	free(marks);
	return rc;
}

static void
tell(struct consumer *c, struct part *p)
{
	struct buf why = { 0 };

	place_say(&p->place, &p->row, &why);
	log_error("stopped %s[%d] at offset %lld: %s", c->conf->kafka_topic,
	    (int)p->id, (long long)p->row.next_offset, buf_str(&why));
	buf_free(&why);
	p->told = true;
}

static void
place_part(struct consumer *c, struct part *p, const struct offset_row *row)
{
	struct place place = { 0 };

	p->row = *row;
	p->next = row->next_offset;
	p->last_offset = row->last_offset;
	p->last_ts = row->last_ts;
	p->last_crc = row->last_crc;
	p->applied = row->next_offset;
	p->verifying = row->last_offset != INT64_MIN;
	p->placed = true;
	c->untold = true; /* its last batch may have been another daemon's */
	p->doubt_ms = 0;
	place.fault = place_cluster(row, c->cluster_id);
	if (place.fault == PLACE_OK) {
		consumer_read_part(c, p);
		return;
	}
	snprintf(
	    place.cluster_id, sizeof(place.cluster_id), "%s", c->cluster_id);
	consumer_stop_part(p, &place);
}

/*
 * A partition is stopped for what its row says.  When that is another one by
 * now, because an operator has changed it, or because the partition had read
 * on before it was stopped, it is placed anew and judged by that.
 */
static void
judge_row(struct consumer *c, struct part *p, const struct offset_row *row)
{
	if (p->stopped && !place_same_row(&p->row, row)) {
		if (p->told)
			log_info("%s[%d] is no longer stopped: from offset "
				 "%lld",
			    c->conf->kafka_topic, (int)p->id,
			    (long long)row->next_offset);
		p->stopped = false;
	}
	if (!p->stopped)
		place_part(c, p, row);
	if (p->stopped && !p->told)
		tell(c, p);
}

static const struct offset_row *
find_row(const struct offset_row *rows, size_t n, int32_t part)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (rows[i].part == part)
			return &rows[i];
	return NULL;
}

/*
 * Is it ours, and somebody must find out where it is read on?  A stopped one
 * wants that when all do: an operator may have changed its row.
 */
static bool
wants_place(const struct consumer *c, const struct part *p)
{
	return !p->leaving && !p->reading &&
	    (c->parked || !(p->stopped && p->told));
}

/*
 * May consumer_place() be called, and is there a reason to?  idle: the storer
 * has nothing that would move what is placed.
 */
bool
consumer_wants_place(const struct consumer *c, bool idle)
{
	size_t i;

	for (i = 0; i < c->nparts && (idle || !c->parked); i++)
		if (wants_place(c, &c->parts[i]))
			return true;
	return false;
}

/*
 * Claims all that is ours, and says of each partition that wants a place
 * whether it has to wait; otherwise as consumer_place().
 */
static int
claim(struct consumer *c, struct db *db, int timeout_ms)
{
	struct claim *claims = xcalloc(c->nparts, sizeof(*claims));
	int64_t now = clock_mono_ms();
	size_t i, n = 0;
	struct part *p;
	int rc;

	for (i = 0; i < c->nparts; i++)
		if (!c->parts[i].leaving)
			claims[n++].part = c->parts[i].id;
	rc = offsets_claim(db, c->conf->kafka_topic, claims, n, timeout_ms);
	if (rc == -1)
		rc = db_failed(c, db);
	for (i = 0; i < n && rc == 0; i++) {
		p = consumer_part(c, claims[i].part);
		p->alone = p->alone && !claims[i].ours;
		p->waits = !claims[i].ours && !p->alone && wants_place(c, p) &&
		    now - p->since_ms < CLAIM_MS;
		if (claims[i].ours || p->waits || p->alone ||
		    !wants_place(c, p))
			continue;
		log_warn("%s[%d] is not released by who read it; reading it "
			 "all the same",
		    c->conf->kafka_topic, (int)p->id);
		p->alone = true;
	}
	free(claims);
	return rc;
}

static int
load(struct consumer *c, struct db *db, struct offset_row **rows, size_t *n,
    int timeout_ms)
{
	return offsets_load(db, c->conf->kafka_topic, rows, n, timeout_ms) == -1
	    ? db_failed(c, db)
	    : 0;
}

static int
place_all(struct consumer *c, struct db *db, const struct offset_row *rows,
    size_t n, int timeout_ms)
{
	struct offset_row fresh = { .last_offset = INT64_MIN,
		.last_ts = INT64_MIN,
		.last_crc = INT64_MIN };
	const struct offset_row *row;
	int32_t most = 0;
	struct part *p;
	size_t i;

	for (i = 0; i < c->nparts; i++) {
		p = &c->parts[i];
		if (p->id >= most)
			most = p->id + 1;
		if (!wants_place(c, p) || p->waits)
			continue;
		row = find_row(rows, n, p->id);
		if (row == NULL) {
			log_info("partition %s[%d] is new: from offset 0",
			    c->conf->kafka_topic, (int)p->id);
			if (offsets_create(db, c->conf->kafka_topic, p->id, 0,
				timeout_ms) == -1)
				return db_failed(c, db);
			fresh.part = p->id;
			row = &fresh;
		}
		judge_row(c, p, row);
	}
	watch_partitions(c, most);
	consumer_count_reading(c);
	return 0;
}

/*
 * Reads the positions of the partitions that want one, and begins to read
 * them; one that another daemon has not released yet goes on wanting.
 * Returns 0, or with the reason in consumer_errstr() -1: try again a little
 * later, or CONSUMER_REFUSED.
 */
int
consumer_place(struct consumer *c, struct db *db, int timeout_ms)
{
	struct offset_row *rows = NULL;
	size_t n = 0;
	int rc;

	if (c->cluster_id == NULL) {
		c->cluster_id = rd_kafka_clusterid(c->rk, CLUSTER_MS);
		if (c->cluster_id == NULL) {
			snprintf(c->errstr, sizeof(c->errstr),
			    "could not read the id of the Kafka cluster");
			return -1;
		}
	}
	/* First the claims: what is read after them, nobody moves any more. */
	rc = claim(c, db, timeout_ms);
	if (rc == 0)
		rc = load(c, db, &rows, &n, timeout_ms);
	if (rc == 0 && n == 0) {
		free(rows);
		rows = NULL;
		rc = bootstrap(c, db, timeout_ms);
		if (rc == 0)
			rc = load(c, db, &rows, &n, timeout_ms);
	}
	if (rc == 0)
		rc = place_all(c, db, rows, n, timeout_ms);
	if (rc == 0)
		c->parked = false;
	free(rows);
	return rc;
}

/*
 * Its row is to say what the log said, for who looks there: /status does.
 * False when it could not be written, which may have taken WHY_MS.
 */
static bool
write_why(struct consumer *c, struct db *db, const struct part *p)
{
	struct buf why = { 0 };
	int rc;

	place_say(&p->place, &p->row, &why);
	rc = offsets_stop(
	    db, c->conf->kafka_topic, &p->row, buf_str(&why), WHY_MS);
	if (rc == -1)
		log_trouble(&c->why_trouble,
		    "could not write why %s[%d] is stopped: %s",
		    c->conf->kafka_topic, (int)p->id, db_errstr(db));
	else
		log_trouble_over(&c->why_trouble);
	buf_free(&why);
	return rc == 0;
}

/*
 * Claims anew what was lost with a connection, and writes why partitions are
 * stopped into their rows.  Has an operator changed one of these?  Then it is
 * time for consumer_park() and the next consumer_place().
 */
bool
consumer_look(struct consumer *c, struct db *db, int timeout_ms)
{
	const struct offset_row *row;
	struct offset_row *rows;
	bool changed = false, any = false, written = true;
	struct part *p;
	size_t i, n;

	/* The connection that had them may be gone: nobody else finds out. */
	if (c->nparts > 0 && claim(c, db, timeout_ms) != 0)
		return false;
	for (i = 0; i < c->nparts; i++)
		any = any || (c->parts[i].stopped && c->parts[i].told);
	if (!any ||
	    offsets_load(db, c->conf->kafka_topic, &rows, &n, timeout_ms) == -1)
		return false;
	for (i = 0; i < c->nparts; i++) {
		p = &c->parts[i];
		row = find_row(rows, n, p->id);
		if (!p->stopped || !p->told || row == NULL)
			continue;
		if (!place_same_row(&p->row, row))
			changed = true;
		else if (written)
			written = write_why(c, db, p);
	}
	free(rows);
	return changed;
}
