/* The statements of a batch's transaction; see store_sql.h. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/arrays.h"
#include "ingest/batch.h"
#include "ingest/store_sql.h"
#include "lib/buf.h"
#include "lib/db.h"
#include "lib/xalloc.h"

#define COLUMNS_MAX 16

/* Room for the parameters of one statement, used again by the next. */
struct scratch {
	struct buf columns[COLUMNS_MAX];
	Oid types[COLUMNS_MAX];
	int n;
};

/* clang-format off */
static const char Q_MOVE[] =
    "UPDATE turnout.ingest_offsets AS o"
    " SET next_offset = u.next, cluster_id = coalesce(o.cluster_id, $9),"
    " last_offset = coalesce(u.last_offset, o.last_offset),"
    " last_ts = coalesce(u.last_ts, o.last_ts),"
    " last_crc = coalesce(u.last_crc, o.last_crc),"
    " high_watermark = greatest(coalesce(u.high, o.high_watermark), u.next),"
    " checked_at = CASE WHEN u.high IS NULL THEN o.checked_at"
    " ELSE clock_timestamp() END"
    " FROM unnest($1::int4[], $2::int8[], $3::int8[], $4::int8[], $5::int8[],"
    " $6::int8[], $7::int8[])"
    " AS u (part, expected, next, last_offset, last_ts, last_crc, high)"
    " WHERE o.topic = $8 AND o.part = u.part AND o.next_offset = u.expected";

static const char Q_MOVE_IMPORT[] =
    "UPDATE turnout.imports AS i SET lines = u.next"
    " FROM unnest($1::int8[], $2::int8[], $3::int8[])"
    " AS u (import_id, expected, next)"
    " WHERE i.import_id = u.import_id AND i.lines = u.expected";

/* The winner is the latest in log order; its place is kept even when its
 * content is what is stored, or an older record of another partition could
 * win later. */
#define DETAIL_SQL(table, id, columns, values, set) \
	"WITH up AS (INSERT INTO turnout." table " AS t" \
	" (" id ", src_ts, src_part, src_offset, content_hash, " columns ")" \
	" SELECT u.id, u.ts, u.part, u.off, u.hash, " values \
	" ON CONFLICT (" id ") DO UPDATE SET src_ts = excluded.src_ts," \
	" src_part = excluded.src_part, src_offset = excluded.src_offset," \
	" content_hash = excluded.content_hash, " set "," \
	" changed_at = CASE WHEN t.content_hash = excluded.content_hash" \
	" THEN t.changed_at ELSE now() END" \
	" WHERE (excluded.src_ts, excluded.src_part, excluded.src_offset)" \
	" > (t.src_ts, t.src_part, t.src_offset)" \
	" RETURNING changed_at IS NOT DISTINCT FROM now() AS changed)" \
	" SELECT count(*) FILTER (WHERE changed) FROM up"

static const struct {
	const char *sql;
	int texts, numbers;
	bool place;
} details[DETAIL_KINDS] = {
	[DETAIL_EVENT] = { DETAIL_SQL("events", "event_id",
	    "name, url, starts_ms, group_id, venue_id",
	    "u.name, u.url, u.starts, u.grp, u.venue FROM unnest($1::text[],"
	    " $2::int8[], $3::int4[], $4::int8[], $5::int8[], $6::text[],"
	    " $7::text[], $8::int8[], $9::int8[], $10::int8[]) AS u"
	    " (id, ts, part, off, hash, name, url, starts, grp, venue)",
	    "name = excluded.name, url = excluded.url,"
	    " starts_ms = excluded.starts_ms, group_id = excluded.group_id,"
	    " venue_id = excluded.venue_id"), 2, 3, false },
	[DETAIL_GROUP] = { DETAIL_SQL("groups", "group_id",
	    "name, urlname, city, state, country, topics, lat, lon",
	    "u.name, u.urlname, u.city, u.state, u.country, u.topics::jsonb,"
	    " u.lat, u.lon FROM unnest($1::int8[], $2::int8[], $3::int4[],"
	    " $4::int8[], $5::int8[], $6::text[], $7::text[], $8::text[],"
	    " $9::text[], $10::text[], $11::text[], $12::float8[],"
	    " $13::float8[]) AS u (id, ts, part, off, hash, name, urlname,"
	    " city, state, country, topics, lat, lon)",
	    "name = excluded.name, urlname = excluded.urlname,"
	    " city = excluded.city, state = excluded.state,"
	    " country = excluded.country, topics = excluded.topics,"
	    " lat = excluded.lat, lon = excluded.lon"), 6, 0, true },
	[DETAIL_VENUE] = { DETAIL_SQL("venues", "venue_id", "name, lat, lon",
	    "u.name, u.lat, u.lon FROM unnest($1::int8[], $2::int8[],"
	    " $3::int4[], $4::int8[], $5::int8[], $6::text[], $7::float8[],"
	    " $8::float8[]) AS u (id, ts, part, off, hash, name, lat, lon)",
	    "name = excluded.name, lat = excluded.lat, lon = excluded.lon"),
	    1, 0, true },
	[DETAIL_MEMBER] = { DETAIL_SQL("members", "member_id", "name, photo",
	    "u.name, u.photo FROM unnest($1::int8[], $2::int8[], $3::int4[],"
	    " $4::int8[], $5::int8[], $6::text[], $7::text[]) AS u"
	    " (id, ts, part, off, hash, name, photo)",
	    "name = excluded.name, photo = excluded.photo"), 2, 0, false },
};

static const char Q_DEAD_LETTERS[] =
    "INSERT INTO turnout.dead_letters (topic, part, record_offset, record_ts,"
    " key, value, value_size, value_sha256, reason)"
    " SELECT $7, u.part, u.off, u.ts, u.key, substr(u.value, 1, 1048576),"
    " coalesce(length(u.value), 0), sha256(coalesce(u.value, '')), u.reason"
    " FROM unnest($1::int4[], $2::int8[], $3::int8[], $4::bytea[],"
    " $5::bytea[], $6::text[]) AS u (part, off, ts, key, value, reason)"
    " ON CONFLICT DO NOTHING";

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

struct scratch *
scratch_new(void)
{
	return xcalloc(1, sizeof(struct scratch));
}

void
scratch_free(struct scratch *s)
{
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < COLUMNS_MAX; i++)
		buf_free(&s->columns[i]);
	free(s);
}

static struct buf *
column(struct scratch *s, enum array_type type, size_t rows)
{
	struct buf *b = &s->columns[s->n];

	s->types[s->n++] = array_oid(type);
	array_begin(b, type, rows);
	return b;
}

static void
add_span(struct buf *col, const struct batch *b, const struct span *span)
{
	if (span->absent)
		array_null(col);
	else
		array_bytes(col, batch_bytes(b, span), span->len);
}

/* INT64_MIN, and RSVP_ABSENT where the caller says so, is NULL. */
static void
add_number(struct buf *col, int64_t n, int64_t absent)
{
	if (n == absent)
		array_null(col);
	else
		array_int8(col, n);
}

/* Runs sql with the columns as binary, then texts (NULL allowed) as text. */
static PGresult *
run(struct db *db, struct scratch *s, const char *sql, const char *const *texts,
    int ntexts, int timeout_ms)
{
	const char *values[COLUMNS_MAX];
	int lengths[COLUMNS_MAX], formats[COLUMNS_MAX], i;
	struct db_params params = { .types = s->types,
		.values = values,
		.lengths = lengths,
		.formats = formats };

	for (i = 0; i < s->n; i++) {
		values[i] = s->columns[i].data;
		lengths[i] = (int)s->columns[i].len;
		formats[i] = 1;
	}
	for (; i < s->n + ntexts; i++) {
		values[i] = texts[i - s->n];
		lengths[i] = 0;
		formats[i] = 0;
		s->types[i] = ARRAY_TEXT;
	}
	params.n = i;
	s->n = 0;
	return db_query(db, sql, &params, timeout_ms);
}

static PGresult *
move_partitions(struct db *db, struct scratch *s, const struct batch *b,
    const char *cluster_id, int timeout_ms)
{
	const char *texts[] = { b->source, cluster_id };
	struct buf *col[7];
	const struct move *m;
	size_t i;

	col[0] = column(s, ARRAY_INT4, b->nmoves);
	for (i = 1; i < 7; i++)
		col[i] = column(s, ARRAY_INT8, b->nmoves);
	for (i = 0; i < b->nmoves; i++) {
		m = &b->moves[i];
		array_int4(col[0], m->part);
		array_int8(col[1], m->expected);
		array_int8(col[2], m->next);
		add_number(col[3], m->last_offset, INT64_MIN);
		if (m->last_offset == INT64_MIN) {
			array_null(col[4]);
			array_null(col[5]);
		} else {
			array_int8(col[4], m->last_ts);
			array_int8(col[5], m->last_crc);
		}
		add_number(col[6], m->high, INT64_MIN);
	}
	return run(db, s, Q_MOVE, texts, 2, timeout_ms);
}

static PGresult *
move_import(
    struct db *db, struct scratch *s, const struct batch *b, int timeout_ms)
{
	const struct move *m = &b->moves[0];

	array_int8(column(s, ARRAY_INT8, 1), b->import_id);
	array_int8(column(s, ARRAY_INT8, 1), m->expected);
	array_int8(column(s, ARRAY_INT8, 1), m->next);
	return run(db, s, Q_MOVE_IMPORT, NULL, 0, timeout_ms);
}

/*
 * Moves the offsets by compare-and-swap: the fence.  Returns 1 when all of
 * them moved, 0 when another writer had moved one, -1 on a fault.
 */
int
sql_move(struct db *db, struct scratch *s, const struct batch *b,
    const char *cluster_id, int timeout_ms)
{
	PGresult *res;
	int rc;

	if (b->nmoves == 0)
		return 1;
	res = b->import_id != 0
	    ? move_import(db, s, b, timeout_ms)
	    : move_partitions(db, s, b, cluster_id, timeout_ms);
	if (res == NULL)
		return -1;
	rc = strtoul(PQcmdTuples(res), NULL, 10) == b->nmoves;
	PQclear(res);
	return rc;
}

static void
add_place(struct scratch *s, const struct detail_set *set)
{
	struct buf *lat = column(s, ARRAY_FLOAT8, set->n);
	struct buf *lon = column(s, ARRAY_FLOAT8, set->n);
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (set->rows[i].has_place) {
			array_float8(lat, set->rows[i].lat);
			array_float8(lon, set->rows[i].lon);
		} else {
			array_null(lat);
			array_null(lon);
		}
	}
}

static void
add_details(struct scratch *s, const struct batch *b, int kind)
{
	const struct detail_set *set = &b->details[kind];
	bool text_id = kind == DETAIL_EVENT;
	struct buf *id, *ts, *part, *off, *hash, *col;
	const struct detail_row *row;
	size_t i;
	int c;

	id = column(s, text_id ? ARRAY_TEXT : ARRAY_INT8, set->n);
	ts = column(s, ARRAY_INT8, set->n);
	part = column(s, ARRAY_INT4, set->n);
	off = column(s, ARRAY_INT8, set->n);
	hash = column(s, ARRAY_INT8, set->n);
	for (i = 0; i < set->n; i++) {
		row = &set->rows[i];
		if (text_id)
			add_span(id, b, &row->key);
		else
			array_int8(id, row->id);
		array_int8(ts, row->pos.ts);
		array_int4(part, row->pos.part);
		array_int8(off, row->pos.offset);
		array_int8(hash, (int64_t)row->hash);
	}
	for (c = 0; c < details[kind].texts; c++) {
		col = column(s, ARRAY_TEXT, set->n);
		for (i = 0; i < set->n; i++)
			add_span(col, b, &set->rows[i].texts[c]);
	}
	for (c = 0; c < details[kind].numbers; c++) {
		col = column(s, ARRAY_INT8, set->n);
		for (i = 0; i < set->n; i++)
			add_number(col, set->rows[i].numbers[c], RSVP_ABSENT);
	}
	if (details[kind].place)
		add_place(s, set);
}

/* Stores events, groups, venues, members, in this order, each by its id. */
int
sql_details(struct db *db, struct scratch *s, const struct batch *b,
    struct stored *stored, int timeout_ms)
{
	PGresult *res;
	int kind;

	for (kind = 0; kind < DETAIL_KINDS; kind++) {
		if (b->details[kind].n == 0)
			continue;
		add_details(s, b, kind);
		res = run(db, s, details[kind].sql, NULL, 0, timeout_ms);
		if (res == NULL)
			return -1;
		stored->details_changed[kind] = strtoll(
		    PQgetvalue(res, 0, 0), NULL, 10);
		PQclear(res);
	}
	return 0;
}

/* Puts the records with a reason into dead_letters; a repetition is none. */
int
sql_dead_letters(
    struct db *db, struct scratch *s, const struct batch *b, int timeout_ms)
{
	const char *texts[] = { b->source };
	struct buf *part, *off, *ts, *key, *value, *reason;
	const struct record *rec;
	PGresult *res;
	size_t i;

	if (b->nbad == 0)
		return 0;
	part = column(s, ARRAY_INT4, b->nbad);
	off = column(s, ARRAY_INT8, b->nbad);
	ts = column(s, ARRAY_INT8, b->nbad);
	key = column(s, ARRAY_BYTEA, b->nbad);
	value = column(s, ARRAY_BYTEA, b->nbad);
	reason = column(s, ARRAY_TEXT, b->nbad);
	for (i = 0; i < b->nrecords; i++) {
		rec = &b->records[i];
		if (rec->reason[0] == '\0')
			continue;
		array_int4(part, rec->pos.part);
		array_int8(off, rec->pos.offset);
		add_number(ts, rec->pos.ts, INT64_MIN);
		add_span(key, b, &rec->key);
		add_span(value, b, &rec->value);
		array_bytes(reason, rec->reason, strlen(rec->reason));
	}
	res = run(db, s, Q_DEAD_LETTERS, texts, 1, timeout_ms);
	if (res == NULL)
		return -1;
	PQclear(res);
	return 0;
}

/* Stores the versions that beat what is there; counters follow by trigger. */
int
sql_rsvps(struct db *db, struct scratch *s, const struct batch *b,
    struct stored *stored, int timeout_ms)
{
	struct buf *id, *event, *member, *mtime, *response, *guests;
	const struct rsvp_row *row;
	PGresult *res;
	size_t i;

	if (b->nrsvps == 0)
		return 0;
	id = column(s, ARRAY_INT8, b->nrsvps);
	event = column(s, ARRAY_TEXT, b->nrsvps);
	member = column(s, ARRAY_INT8, b->nrsvps);
	mtime = column(s, ARRAY_INT8, b->nrsvps);
	response = column(s, ARRAY_INT4, b->nrsvps);
	guests = column(s, ARRAY_INT4, b->nrsvps);
	for (i = 0; i < b->nrsvps; i++) {
		row = &b->rsvps[i];
		array_int8(id, row->rsvp_id);
		add_span(event, b, &row->event_id);
		add_number(member, row->member_id, RSVP_ABSENT);
		array_int8(mtime, row->mtime_ms);
		array_int4(response, (int32_t)row->response + 1);
		if (row->guests == RSVP_ABSENT)
			array_null(guests);
		else
			array_int4(guests, row->guests);
	}
	res = run(db, s, Q_RSVPS, NULL, 0, timeout_ms);
	if (res == NULL)
		return -1;
	stored->rows_changed = strtoll(PQcmdTuples(res), NULL, 10);
	PQclear(res);
	return 0;
}
