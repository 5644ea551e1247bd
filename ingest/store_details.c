/*
 * The details' part of a batch's transaction; see store_sql.h.
 *
 * Most details of a stream are repetitions. What this daemon wrote itself it
 * remembers (known.h), and then only moves the place in log order, which is
 * an eighth of the bytes; the content hash in the statement makes sure that
 * it is still there.
 */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>

#include "ingest/known.h"
#include "ingest/scratch.h"
#include "ingest/store_sql.h"

/* clang-format off */
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

/* For content that is known to be stored: only its place is moved. */
#define MOVE_SQL(table, id, type) \
	"UPDATE turnout." table " AS t SET src_ts = u.ts," \
	" src_part = u.part, src_offset = u.off" FROM_SQL(type) \
	" WHERE t." id " = u.id AND t.content_hash = u.hash" \
	" AND (u.ts, u.part, u.off) > (t.src_ts, t.src_part, t.src_offset)"

/* Of the same, how many must be written after all: not there, or newer than
 * another content. */
#define CHECK_SQL(table, id, type) \
	"SELECT count(*)" FROM_SQL(type) \
	" LEFT JOIN turnout." table " AS t ON t." id " = u.id" \
	" WHERE t." id " IS NULL OR (t.content_hash <> u.hash" \
	" AND (u.ts, u.part, u.off) > (t.src_ts, t.src_part, t.src_offset))"
#define FROM_SQL(type) \
	" FROM unnest($1::" type ", $2::int8[], $3::int4[], $4::int8[]," \
	" $5::int8[]) AS u (id, ts, part, off, hash)"

static const struct {
	const char *move, *check;
	const char *sql;
	int texts, numbers;
	bool place;
} details[DETAIL_KINDS] = {
	[DETAIL_EVENT] = {
	    MOVE_SQL("events", "event_id", "text[]"), CHECK_SQL("events", "event_id", "text[]"),
	    DETAIL_SQL("events", "event_id",
	    "name, url, starts_ms, group_id, venue_id",
	    "u.name, u.url, u.starts, u.grp, u.venue FROM unnest($1::text[],"
	    " $2::int8[], $3::int4[], $4::int8[], $5::int8[], $6::text[],"
	    " $7::text[], $8::int8[], $9::int8[], $10::int8[]) AS u"
	    " (id, ts, part, off, hash, name, url, starts, grp, venue)",
	    "name = excluded.name, url = excluded.url,"
	    " starts_ms = excluded.starts_ms, group_id = excluded.group_id,"
	    " venue_id = excluded.venue_id"), 2, 3, false },
	[DETAIL_GROUP] = {
	    MOVE_SQL("groups", "group_id", "int8[]"), CHECK_SQL("groups", "group_id", "int8[]"),
	    DETAIL_SQL("groups", "group_id",
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
	[DETAIL_VENUE] = {
	    MOVE_SQL("venues", "venue_id", "int8[]"), CHECK_SQL("venues", "venue_id", "int8[]"),
	    DETAIL_SQL("venues", "venue_id", "name, lat, lon",
	    "u.name, u.lat, u.lon FROM unnest($1::int8[], $2::int8[],"
	    " $3::int4[], $4::int8[], $5::int8[], $6::text[], $7::float8[],"
	    " $8::float8[]) AS u (id, ts, part, off, hash, name, lat, lon)",
	    "name = excluded.name, lat = excluded.lat, lon = excluded.lon"),
	    1, 0, true },
	[DETAIL_MEMBER] = {
	    MOVE_SQL("members", "member_id", "int8[]"), CHECK_SQL("members", "member_id", "int8[]"),
	    DETAIL_SQL("members", "member_id", "name, photo",
	    "u.name, u.photo FROM unnest($1::int8[], $2::int8[], $3::int4[],"
	    " $4::int8[], $5::int8[], $6::text[], $7::text[]) AS u"
	    " (id, ts, part, off, hash, name, photo)",
	    "name = excluded.name, photo = excluded.photo"), 2, 0, false },
};
/* clang-format on */

/* Which rows a statement takes: those that are known, or the others. */
struct choice {
	const struct batch *batch;
	const struct detail_set *set;
	const struct known *known; /* NULL: nothing is known */
	bool narrow;		   /* take the known ones */
	size_t n;
};

static bool
chosen(const struct choice *c, size_t i)
{
	const struct detail_row *row = &c->set->rows[i];
	bool known = c->known != NULL &&
	    known_has(c->known, row->key_hash, row->hash);

	return known == c->narrow;
}

static void
count_chosen(struct choice *c)
{
	size_t i;

	c->n = 0;
	for (i = 0; i < c->set->n; i++)
		c->n += chosen(c, i);
}

/* The columns that every statement has: id, place, content. */
static void
add_keys(struct scratch *s, const struct choice *c, int kind)
{
	bool text_id = kind == DETAIL_EVENT;
	struct buf *id, *ts, *part, *off, *hash;
	const struct detail_row *row;
	size_t i;

	id = scratch_column(s, text_id ? ARRAY_TEXT : ARRAY_INT8, c->n);
	ts = scratch_column(s, ARRAY_INT8, c->n);
	part = scratch_column(s, ARRAY_INT4, c->n);
	off = scratch_column(s, ARRAY_INT8, c->n);
	hash = scratch_column(s, ARRAY_INT8, c->n);
	for (i = 0; i < c->set->n; i++) {
		if (!chosen(c, i))
			continue;
		row = &c->set->rows[i];
		if (text_id)
			scratch_span(id, c->batch, &row->key);
		else
			array_int8(id, row->id);
		array_int8(ts, row->pos.ts);
		array_int4(part, row->pos.part);
		array_int8(off, row->pos.offset);
		array_int8(hash, (int64_t)row->hash);
	}
}

static void
add_place(struct scratch *s, const struct choice *c)
{
	struct buf *lat = scratch_column(s, ARRAY_FLOAT8, c->n);
	struct buf *lon = scratch_column(s, ARRAY_FLOAT8, c->n);
	size_t i;

	for (i = 0; i < c->set->n; i++) {
		if (!chosen(c, i))
			continue;
		if (c->set->rows[i].has_place) {
			array_float8(lat, c->set->rows[i].lat);
			array_float8(lon, c->set->rows[i].lon);
		} else {
			array_null(lat);
			array_null(lon);
		}
	}
}

static void
add_content(struct scratch *s, const struct choice *c, int kind)
{
	struct buf *col;
	size_t i;
	int n;

	for (n = 0; n < details[kind].texts; n++) {
		col = scratch_column(s, ARRAY_TEXT, c->n);
		for (i = 0; i < c->set->n; i++)
			if (chosen(c, i))
				scratch_span(
				    col, c->batch, &c->set->rows[i].texts[n]);
	}
	for (n = 0; n < details[kind].numbers; n++) {
		col = scratch_column(s, ARRAY_INT8, c->n);
		for (i = 0; i < c->set->n; i++)
			if (chosen(c, i))
				scratch_number(col, c->set->rows[i].numbers[n],
				    RSVP_ABSENT);
	}
	if (details[kind].place)
		add_place(s, c);
}

/*
 * Moves the places of known details. Returns 1 when all of them stand right
 * now, 0 when some must be written after all, -1 on a fault.
 */
static int
move_known(struct db *db, struct scratch *s, const struct choice *c, int kind,
    int timeout_ms)
{
	PGresult *res;
	size_t moved;
	int rc;

	add_keys(s, c, kind);
	res = scratch_run(db, s, details[kind].move, NULL, 0, timeout_ms);
	if (res == NULL)
		return -1;
	moved = strtoul(PQcmdTuples(res), NULL, 10);
	PQclear(res);
	if (moved == c->n)
		return 1;
	add_keys(s, c, kind);
	res = scratch_run(db, s, details[kind].check, NULL, 0, timeout_ms);
	if (res == NULL)
		return -1;
	rc = strtol(PQgetvalue(res, 0, 0), NULL, 10) == 0;
	PQclear(res);
	return rc;
}

static int
write_kind(struct db *db, struct scratch *s, struct choice *c, int kind,
    int64_t *changed, int timeout_ms)
{
	PGresult *res;
	int rc;

	c->narrow = true;
	count_chosen(c);
	if (c->n > 0) {
		rc = move_known(db, s, c, kind, timeout_ms);
		if (rc == -1)
			return -1;
		if (rc == 0)
			c->known = NULL; /* somebody else wrote: all anew */
	}
	c->narrow = false;
	count_chosen(c);
	*changed = 0;
	if (c->n == 0)
		return 0;
	add_keys(s, c, kind);
	add_content(s, c, kind);
	res = scratch_run(db, s, details[kind].sql, NULL, 0, timeout_ms);
	if (res == NULL)
		return -1;
	*changed = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	return 0;
}

/* Stores events, groups, venues, members, in this order, each by its id. */
int
sql_details(struct db *db, struct scratch *s, const struct known *known,
    const struct batch *b, struct stored *stored, int timeout_ms)
{
	struct choice c;
	int kind;

	for (kind = 0; kind < DETAIL_KINDS; kind++) {
		c = (struct choice){
			.batch = b, .set = &b->details[kind], .known = known
		};
		if (c.set->n > 0 &&
		    write_kind(db, s, &c, kind, &stored->details_changed[kind],
			timeout_ms) == -1)
			return -1;
	}
	return 0;
}

/* Remembers what a committed batch wrote. */
void
details_remember(struct known *known, const struct batch *b)
{
	const struct detail_set *set;
	size_t i;

	for (set = b->details; set < b->details + DETAIL_KINDS; set++)
		for (i = 0; i < set->n; i++)
			known_add(
			    known, set->rows[i].key_hash, set->rows[i].hash);
}
