/* Where the partitions stand; see offsets.h. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/offsets.h"
#include "ingest/statement.h"
#include "lib/db.h"
#include "lib/xalloc.h"

static const char Q_LOAD[] =
    "SELECT part, next_offset, coalesce(cluster_id, ''), last_offset, last_ts,"
    " last_crc FROM turnout.ingest_offsets WHERE topic = $1 ORDER BY part";
static const char Q_CREATE[] =
    "INSERT INTO turnout.ingest_offsets (topic, part, next_offset)"
    " VALUES ($1, $2::integer, $3::bigint) ON CONFLICT DO NOTHING";

static const char Q_STOP[] =
    "UPDATE turnout.ingest_offsets SET stopped_why = $4 WHERE (topic, part) IN"
    " (SELECT topic, part FROM turnout.ingest_offsets WHERE topic = $1"
    " AND part = $2::integer AND next_offset = $3::bigint"
    " AND last_crc IS NOT DISTINCT FROM $5::bigint"
    " AND stopped_why IS DISTINCT FROM $4 FOR UPDATE SKIP LOCKED)";

/*
 * A claim is an advisory lock of the session, so that it ends with its
 * connection, whatever ends that.  It is a courtesy and no fence: who has it
 * is asked to store what was read before the next one reads the row.
 */
#define CLAIM_CLASS "hashtext('turnout.ingest_offsets ' || $2)"
#define CLAIMED                                                                \
	"FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.objsubid = 2"  \
	" AND l.database = (SELECT oid FROM pg_database"                       \
	" WHERE datname = current_database())"                                 \
	" AND l.pid = pg_backend_pid() AND l.classid = " CLAIM_CLASS "::oid"

static const char Q_CLAIM[] =
    "SELECT CASE WHEN EXISTS (SELECT " CLAIMED " AND l.objid = part::oid)"
    " THEN true ELSE pg_try_advisory_lock(" CLAIM_CLASS ", part) END"
    " FROM unnest($1::integer[]) WITH ORDINALITY AS want (part, place)"
    " ORDER BY place";
static const char Q_RELEASE[] = "SELECT pg_advisory_unlock(" CLAIM_CLASS
				", l.objid::bigint::integer) " CLAIMED
				" AND l.objid = ANY ($1::integer[]::oid[])";

static int64_t
number(const PGresult *res, int row, int col)
{
	return PQgetisnull(res, row, col)
	    ? INT64_MIN
	    : strtoll(PQgetvalue(res, row, col), NULL, 10);
}

/* Runs one of the two above. */
static PGresult *
run_parts(struct db *db, const char *sql, const char *topic,
    const struct claim *claims, size_t n, int timeout_ms)
{
	struct statement *st = statement_new();
	struct buf *parts;
	PGresult *res;
	size_t i;

	statement_begin(st, sql);
	parts = statement_column(st, ARRAY_INT4, n);
	for (i = 0; i < n; i++)
		array_int4(parts, claims[i].part);
	statement_text(st, topic);
	res = statement_run(st, db, timeout_ms);
	statement_free(st);
	return res;
}

/*
 * Claims partitions of a topic for this connection, as far as no other one
 * has them; what it has already stays its own.  Returns 0 with the answer in
 * each claim, or -1 with the reason in db_errstr().
 */
int
offsets_claim(struct db *db, const char *topic, struct claim *claims, size_t n,
    int timeout_ms)
{
	PGresult *res = run_parts(db, Q_CLAIM, topic, claims, n, timeout_ms);
	size_t i;

	if (res == NULL)
		return -1;
	for (i = 0; i < n; i++)
		claims[i].ours = *PQgetvalue(res, (int)i, 0) == 't';
	PQclear(res);
	return 0;
}

/* Lets others claim them; -1 with the reason in db_errstr(). */
int
offsets_release(struct db *db, const char *topic, const struct claim *claims,
    size_t n, int timeout_ms)
{
	PGresult *res = run_parts(db, Q_RELEASE, topic, claims, n, timeout_ms);

	if (res == NULL)
		return -1;
	PQclear(res);
	return 0;
}

/*
 * All rows of a topic, by partition.  Returns 0 with *rows to be freed, or -1
 * with the reason in db_errstr().
 */
int
offsets_load(struct db *db, const char *topic, struct offset_row **rows,
    size_t *n, int timeout_ms)
{
	struct db_params params = { .n = 1, .values = &topic };
	PGresult *res = db_query(db, Q_LOAD, &params, timeout_ms);
	struct offset_row *row;
	int i;

	if (res == NULL)
		return -1;
	*n = (size_t)PQntuples(res);
	*rows = xcalloc(*n, sizeof(**rows));
	for (i = 0; i < PQntuples(res); i++) {
		row = &(*rows)[i];
		row->part = (int32_t)number(res, i, 0);
		row->next_offset = number(res, i, 1);
		snprintf(row->cluster_id, sizeof(row->cluster_id), "%s",
		    PQgetvalue(res, i, 2));
		row->last_offset = number(res, i, 3);
		row->last_ts = number(res, i, 4);
		row->last_crc = number(res, i, 5);
	}
	PQclear(res);
	return 0;
}

/* Makes the row of a partition; one that is there already stays as it is. */
int
offsets_create(struct db *db, const char *topic, int32_t part,
    int64_t next_offset, int timeout_ms)
{
	char p[16], next[24];
	const char *values[] = { topic, p, next };
	struct db_params params = { .n = 3, .values = values };
	PGresult *res;

	snprintf(p, sizeof(p), "%d", (int)part);
	snprintf(next, sizeof(next), "%lld", (long long)next_offset);
	if ((res = db_query(db, Q_CREATE, &params, timeout_ms)) == NULL)
		return -1;
	PQclear(res);
	return 0;
}

/*
 * Writes into a row why its partition is stopped, unless the row says that
 * already or is another one by now.  What moves it takes that back.
 */
int
offsets_stop(struct db *db, const char *topic, const struct offset_row *row,
    const char *why, int timeout_ms)
{
	char p[16], next[24], crc[24];
	const char *values[] = { topic, p, next, why, NULL };
	struct db_params params = { .n = 5, .values = values };
	PGresult *res;

	snprintf(p, sizeof(p), "%d", (int)row->part);
	snprintf(next, sizeof(next), "%lld", (long long)row->next_offset);
	snprintf(crc, sizeof(crc), "%lld", (long long)row->last_crc);
	if (row->last_offset != INT64_MIN)
		values[4] = crc;
	if ((res = db_query(db, Q_STOP, &params, timeout_ms)) == NULL)
		return -1;
	PQclear(res);
	return 0;
}
