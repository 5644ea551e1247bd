/* The statements of a batch's transaction; see store_sql.h. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/batch.h"
#include "ingest/statement.h"
#include "ingest/store_details.h"
#include "ingest/store_sql.h"
#include "lib/buf.h"
#include "lib/db.h"
#include "lib/xalloc.h"

/* clang-format off */
static const char Q_MOVE[] =
    "UPDATE turnout.ingest_offsets AS o"
    " SET next_offset = u.next, cluster_id = coalesce(o.cluster_id, $9),"
    " last_offset = coalesce(u.last_offset, o.last_offset),"
    " last_ts = coalesce(u.last_ts, o.last_ts),"
    " last_crc = coalesce(u.last_crc, o.last_crc),"
    " high_watermark = greatest(coalesce(u.high, o.high_watermark), u.next),"
    " checked_at = CASE WHEN u.high IS NULL THEN o.checked_at"
    " ELSE clock_timestamp() END, stopped_why = NULL"
    " FROM unnest($1::int4[], $2::int8[], $3::int8[], $4::int8[], $5::int8[],"
    " $6::int8[], $7::int8[])"
    " AS u (part, expected, next, last_offset, last_ts, last_crc, high)"
    " WHERE o.topic = $8 AND o.part = u.part AND o.next_offset = u.expected";

static const char Q_MOVE_IMPORT[] =
    "UPDATE turnout.imports AS i SET lines = u.next"
    " FROM unnest($1::int8[], $2::int8[], $3::int8[])"
    " AS u (import_id, expected, next)"
    " WHERE i.import_id = u.import_id AND i.lines = u.expected";

static const char Q_TAKE_LETTERS[] =
    "DELETE FROM turnout.dead_letters WHERE dead_letter_id = ANY ($1::int8[])";

static const char Q_DEAD_LETTERS[] =
    "INSERT INTO turnout.dead_letters (topic, part, record_offset, record_ts,"
    " key, value, value_size, value_sha256, reason)"
    " SELECT $7, u.part, u.off, u.ts, u.key, substr(u.value, 1, 1048576),"
    " coalesce(length(u.value), 0), sha256(coalesce(u.value, '')), u.reason"
    " FROM unnest($1::int4[], $2::int8[], $3::int8[], $4::bytea[],"
    " $5::bytea[], $6::text[]) AS u (part, off, ts, key, value, reason)"
    " ON CONFLICT DO NOTHING";

/*
 * The role's idle_in_transaction_session_timeout ends a transaction whose
 * client is stopped; but the server does not count the time between the
 * messages that make up one statement, nor that in which nobody takes its
 * answer.  This does, by the same limit.
 */
static const char Q_END_ZOMBIES[] =
    "SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid))"
    " FROM pg_stat_activity AS a, (SELECT"
    " current_setting('idle_in_transaction_session_timeout')::interval AS idle"
    ") AS most WHERE most.idle > interval '0'"
    " AND a.usename = current_user AND a.datname = current_database()"
    " AND a.application_name = 'turnout-ingest'"
    " AND a.wait_event IN ('ClientRead', 'ClientWrite')"
    " AND a.xact_start IS NOT NULL"
    " AND greatest(a.xact_start, a.state_change) < clock_timestamp() - most.idle"
    " AND a.pid <> pg_backend_pid()";

/* The version rule, the same as in version.c. */
#define VERSION_SQL(t) \
	"((" t ".mtime_ms + 500) / 1000, " t ".mtime_ms % 1000 <> 0, " \
	t ".mtime_ms, " t ".response, coalesce(" t ".guests, -1), " \
	t ".event_id, coalesce(" t ".member_id, -1))"

static const char Q_RSVPS[] =
    "INSERT INTO turnout.rsvps AS r"
    " (rsvp_id, event_id, member_id, mtime_ms, response, guests)"
    " SELECT u.id, u.event, u.member, u.mtime,"
    " (ARRAY['yes', 'waitlist', 'no']::turnout.rsvp_response[])[u.response],"
    " u.guests FROM unnest($1::int8[], $2::text[], $3::int8[], $4::int8[],"
    " $5::int4[], $6::int4[]) AS u (id, event, member, mtime, response, guests)"
    " ON CONFLICT (rsvp_id) DO UPDATE SET event_id = excluded.event_id,"
    " member_id = excluded.member_id, mtime_ms = excluded.mtime_ms,"
    " response = excluded.response, guests = excluded.guests"
    " WHERE " VERSION_SQL("excluded") " > " VERSION_SQL("r");
/* clang-format on */

struct statements *
statements_new(void)
{
	struct statements *all = xcalloc(1, sizeof(*all));
	int kind;

	all->fence = statement_new();
	for (kind = 0; kind < DETAIL_KINDS; kind++)
		all->details[kind] = statement_new();
	all->again = statement_new();
	all->letters = statement_new();
	all->rsvps = statement_new();
	return all;
}

void
statements_free(struct statements *all)
{
	int kind;

	if (all == NULL)
		return;
	statement_free(all->fence);
	for (kind = 0; kind < DETAIL_KINDS; kind++)
		statement_free(all->details[kind]);
	statement_free(all->again);
	statement_free(all->letters);
	statement_free(all->rsvps);
	free(all);
}

static void
make_move(struct statement *st, const struct batch *b, const char *cluster_id)
{
	struct buf *col[7];
	const struct move *m;
	size_t i;

	statement_begin(st, Q_MOVE);
	col[0] = statement_column(st, ARRAY_INT4, b->nmoves);
	for (i = 1; i < 7; i++)
		col[i] = statement_column(st, ARRAY_INT8, b->nmoves);
	for (i = 0; i < b->nmoves; i++) {
		m = &b->moves[i];
		array_int4(col[0], m->part);
		array_int8(col[1], m->expected);
		array_int8(col[2], m->next);
		column_number(col[3], m->last_offset, INT64_MIN);
		if (m->last_offset == INT64_MIN) {
			array_null(col[4]);
			array_null(col[5]);
		} else {
			array_int8(col[4], m->last_ts);
			array_int8(col[5], m->last_crc);
		}
		column_number(col[6], m->high, INT64_MIN);
	}
	statement_text(st, b->source);
	statement_text(st, cluster_id);
}

static void
make_move_import(struct statement *st, const struct batch *b)
{
	const struct move *m = &b->moves[0];

	statement_begin(st, Q_MOVE_IMPORT);
	array_int8(statement_column(st, ARRAY_INT8, 1), b->import_id);
	array_int8(statement_column(st, ARRAY_INT8, 1), m->expected);
	array_int8(statement_column(st, ARRAY_INT8, 1), m->next);
}

static void
make_take_letters(struct statement *st, const struct batch *b)
{
	struct buf *id;
	size_t i;

	statement_begin(st, Q_TAKE_LETTERS);
	id = statement_column(st, ARRAY_INT8, b->nrecords - b->nbad);
	for (i = 0; i < b->nrecords; i++)
		if (b->records[i].reason[0] == '\0')
			array_int8(id, b->records[i].letter_id);
}

/* Records with a reason; what a retry refuses is there already. */
static void
make_letters(struct statement *st, const struct batch *b)
{
	struct buf *part, *off, *ts, *key, *value, *reason;
	const struct record *rec;
	size_t i;

	statement_begin(st, b->nbad == 0 || b->retry ? NULL : Q_DEAD_LETTERS);
	if (!statement_is_made(st))
		return;
	part = statement_column(st, ARRAY_INT4, b->nbad);
	off = statement_column(st, ARRAY_INT8, b->nbad);
	ts = statement_column(st, ARRAY_INT8, b->nbad);
	key = statement_column(st, ARRAY_BYTEA, b->nbad);
	value = statement_column(st, ARRAY_BYTEA, b->nbad);
	reason = statement_column(st, ARRAY_TEXT, b->nbad);
	for (i = 0; i < b->nrecords; i++) {
		rec = &b->records[i];
		if (rec->reason[0] == '\0')
			continue;
		array_int4(part, rec->pos.part);
		array_int8(off, rec->pos.offset);
		column_number(ts, rec->pos.ts, INT64_MIN);
		column_span(key, b, &rec->key);
		column_span(value, b, &rec->value);
		array_bytes(reason, rec->reason, strlen(rec->reason));
	}
	statement_text(st, b->source);
}

static void
make_rsvps(struct statement *st, const struct batch *b)
{
	struct buf *id, *event, *member, *mtime, *response, *guests;
	const struct rsvp_row *row;
	size_t i;

	statement_begin(st, b->nrsvps == 0 ? NULL : Q_RSVPS);
	if (!statement_is_made(st))
		return;
	id = statement_column(st, ARRAY_INT8, b->nrsvps);
	event = statement_column(st, ARRAY_TEXT, b->nrsvps);
	member = statement_column(st, ARRAY_INT8, b->nrsvps);
	mtime = statement_column(st, ARRAY_INT8, b->nrsvps);
	response = statement_column(st, ARRAY_INT4, b->nrsvps);
	guests = statement_column(st, ARRAY_INT4, b->nrsvps);
	for (i = 0; i < b->nrsvps; i++) {
		row = &b->rsvps[i];
		array_int8(id, row->rsvp_id);
		column_span(event, b, &row->event_id);
		column_number(member, row->member_id, RSVP_ABSENT);
		array_int8(mtime, row->mtime_ms);
		array_int4(response, (int32_t)row->response + 1);
		if (row->guests == RSVP_ABSENT)
			array_null(guests);
		else
			array_int4(guests, row->guests);
	}
}

/*
 * Makes the statements of a batch; known says which details need no content.
 * The batch and cluster_id (NULL = not known) are borrowed.
 */
void
statements_make(struct statements *all, const struct batch *b,
    const struct known *known, const char *cluster_id)
{
	if (b->retry)
		make_take_letters(all->fence, b);
	else if (b->nmoves == 0)
		statement_begin(all->fence, NULL);
	else if (b->import_id != 0)
		make_move_import(all->fence, b);
	else
		make_move(all->fence, b, cluster_id);
	details_make(all, b, known);
	make_letters(all->letters, b);
	make_rsvps(all->rsvps, b);
}

/*
 * Begins when it is our turn.  Daemons that write at the same time wait for
 * the counters in the end anyhow; a wait before the first statement has no
 * snapshot and no transaction id yet, which would keep PostgreSQL from
 * clearing away the old versions of rows that are updated all the time.
 */
int
sql_begin(struct db *db, int timeout_ms)
{
	if (db_exec(db, "BEGIN", timeout_ms) == -1)
		return -1;
	return db_exec(
	    db, "LOCK TABLE turnout.ingest_gate IN EXCLUSIVE MODE", timeout_ms);
}

/*
 * Moves the offsets by compare-and-swap: the fence.  Returns 1 when all of
 * them moved, 0 when another writer had moved one, -1 on a fault.
 */
int
sql_move(struct db *db, struct statements *all, const struct batch *b,
    int timeout_ms)
{
	PGresult *res;
	int rc;

	if (!statement_is_made(all->fence))
		return 1;
	if ((res = statement_run(all->fence, db, timeout_ms)) == NULL)
		return -1;
	rc = strtoul(PQcmdTuples(res), NULL, 10) == b->nmoves;
	PQclear(res);
	return rc;
}

/* Where the row of a move is now; waits for who has it locked. */
PGresult *
sql_read_move(
    struct db *db, const struct batch *b, const struct move *m, int timeout_ms)
{
	char number[24];
	const char *values[] = { b->source, number };
	struct db_params params = { .n = 2, .values = values };

	if (b->import_id != 0) {
		snprintf(
		    number, sizeof(number), "%lld", (long long)b->import_id);
		params.n = 1;
		params.values = values + 1;
		return db_query(db,
		    "SELECT lines FROM turnout.imports WHERE import_id = $1"
		    " FOR UPDATE",
		    &params, timeout_ms);
	}
	snprintf(number, sizeof(number), "%d", (int)m->part);
	return db_query(db,
	    "SELECT next_offset FROM turnout.ingest_offsets"
	    " WHERE topic = $1 AND part = $2 FOR UPDATE",
	    &params, timeout_ms);
}

/*
 * Takes the dead letters that a retry applies out of their table: its fence,
 * as the offsets are that of a batch from Kafka.  Returns how many were there,
 * -1 on a fault.  What is taken is nowhere else, so that this commit waits for
 * the disk.  A letter that somebody has locked is not waited for: all daemons
 * wait for us.
 */
int
sql_take_letters(struct db *db, struct statements *all, int timeout_ms)
{
	PGresult *res;
	int n;

	if (db_exec(db, "SET LOCAL synchronous_commit = on", timeout_ms) ==
		-1 ||
	    db_exec(db, "SET LOCAL lock_timeout = '500ms'", timeout_ms) == -1)
		return -1;
	if ((res = statement_run(all->fence, db, timeout_ms)) == NULL)
		return -1;
	n = (int)strtol(PQcmdTuples(res), NULL, 10);
	PQclear(res);
	if (db_exec(db, "SET LOCAL lock_timeout TO DEFAULT", timeout_ms) == -1)
		return -1;
	return n;
}

/* Puts the refused records into dead_letters; a repetition is none. */
int
sql_dead_letters(struct db *db, struct statements *all, int timeout_ms)
{
	PGresult *res;

	if (!statement_is_made(all->letters))
		return 0;
	if ((res = statement_run(all->letters, db, timeout_ms)) == NULL)
		return -1;
	PQclear(res);
	return 0;
}

/* Stores the versions that beat what is there; counters follow by trigger. */
int
sql_rsvps(struct db *db, struct statements *all, struct stored *stored,
    int timeout_ms)
{
	PGresult *res;

	if (!statement_is_made(all->rsvps))
		return 0;
	if ((res = statement_run(all->rsvps, db, timeout_ms)) == NULL)
		return -1;
	stored->rows_changed = strtoll(PQcmdTuples(res), NULL, 10);
	PQclear(res);
	return 0;
}

/*
 * Ends the connections of daemons that were stopped in the middle of a batch
 * and hold its locks.  It is safe whoever they are: they roll back, and their
 * next move is fenced.  Returns how many; 0 also on a fault.
 */
int
sql_end_zombies(struct db *db, int timeout_ms)
{
	PGresult *res;
	int n;

	res = db_query(db, Q_END_ZOMBIES, NULL, timeout_ms);
	if (res == NULL)
		return 0;
	n = (int)strtol(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return n;
}

/* Makes the row of an import; -1 on a fault. */
int
sql_begin_import(
    struct db *db, const char *file, int64_t *import_id, int timeout_ms)
{
	const struct db_params params = { .n = 1, .values = &file };
	PGresult *res;

	res = db_query(db,
	    "INSERT INTO turnout.imports (file) VALUES ($1)"
	    " RETURNING import_id",
	    &params, timeout_ms);
	if (res == NULL)
		return -1;
	*import_id = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return 0;
}

/*
 * Marks an import as finished when the row has as many lines: a crash may have
 * taken back the last ones, since its batches do not wait for the disk.  This
 * commit does, and has them all there.  Returns 1, 0 when the row has other
 * lines, -1 on a fault.
 */
int
sql_end_import(struct db *db, int64_t import_id, int64_t lines, int timeout_ms)
{
	char number[24], count[24];
	const char *values[] = { number, count };
	const struct db_params params = { .n = 2, .values = values };
	PGresult *res;
	int rc;

	snprintf(number, sizeof(number), "%lld", (long long)import_id);
	snprintf(count, sizeof(count), "%lld", (long long)lines);
	if (db_exec(db, "BEGIN", timeout_ms) == -1 ||
	    db_exec(db, "SET LOCAL synchronous_commit = on", timeout_ms) ==
		-1 ||
	    (res = db_query(db,
		 "UPDATE turnout.imports SET finished_at = clock_timestamp()"
		 " WHERE import_id = $1 AND lines = $2",
		 &params, timeout_ms)) == NULL)
		return -1;
	rc = strtol(PQcmdTuples(res), NULL, 10) == 1;
	PQclear(res);
	return db_commit(db, timeout_ms) == -1 ? -1 : rc;
}
