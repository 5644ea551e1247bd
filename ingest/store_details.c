/*
 * The details of a batch; see store_details.h.
 *
 * The winner is the latest in log order; its place is kept even when its
 * content is what is stored, or an older record of another partition could
 * win later.  So every row is written, but content that the database should
 * have is not sent again: such a row is hollow, and says so by a changed_at
 * of -infinity.  Where the hint was wrong, that mark is still there after the
 * statement, and a second one fills the row in: nobody else can see it, and
 * its lock is held already, so that rows are still locked in one order.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "ingest/store_details.h"
#include "lib/buf.h"
#include "lib/xalloc.h"

/* clang-format off */
/* What a hollow row leaves as it is. */
#define SENT(column) \
	column " = CASE WHEN excluded.changed_at IS NULL" \
	" THEN excluded." column " ELSE t." column " END"

#define DETAIL_SQL(table, id, columns, values, set) \
	"WITH up AS (INSERT INTO turnout." table " AS t" \
	" (" id ", src_ts, src_part, src_offset, content_hash, changed_at, " \
	columns ")" \
	" SELECT u.id, u.ts, u.part, u.off, u.hash," \
	" CASE u.hollow WHEN 1 THEN timestamptz '-infinity' END, " values \
	" ON CONFLICT (" id ") DO UPDATE SET src_ts = excluded.src_ts," \
	" src_part = excluded.src_part, src_offset = excluded.src_offset, " \
	SENT("content_hash") ", " set ", changed_at = CASE" \
	" WHEN t.content_hash = excluded.content_hash" \
	" THEN nullif(t.changed_at, '-infinity')" \
	" WHEN excluded.changed_at IS NULL THEN now() ELSE '-infinity' END" \
	" WHERE (excluded.src_ts, excluded.src_part, excluded.src_offset)" \
	" > (t.src_ts, t.src_part, t.src_offset)" \
	" OR t.changed_at = '-infinity'" \
	" RETURNING " id " AS id, changed_at)" \
	" SELECT id, changed_at = '-infinity' FROM up" \
	" WHERE changed_at = '-infinity' OR changed_at = now() ORDER BY id"

/* Parameters: $1 id, $2-$4 place, $5 hash, $6 hollow, then the content. */
static const struct {
	const char *sql;
	int texts, numbers;
	bool place;
} details[DETAIL_KINDS] = {
	[DETAIL_EVENT] = { DETAIL_SQL("events", "event_id",
	    "name, url, starts_ms, group_id, venue_id",
	    "u.name, u.url, u.starts, u.grp, u.venue FROM unnest($1::text[],"
	    " $2::int8[], $3::int4[], $4::int8[], $5::int8[], $6::int4[],"
	    " $7::text[], $8::text[], $9::int8[], $10::int8[], $11::int8[]) AS u"
	    " (id, ts, part, off, hash, hollow, name, url, starts, grp, venue)",
	    SENT("name") ", " SENT("url") ", starts_ms = excluded.starts_ms,"
	    " group_id = excluded.group_id, venue_id = excluded.venue_id"),
	    2, 3, false },
	[DETAIL_GROUP] = { DETAIL_SQL("groups", "group_id",
	    "name, urlname, city, state, country, topics, lat, lon",
	    "u.name, u.urlname, u.city, u.state, u.country, u.topics::jsonb,"
	    " u.lat, u.lon FROM unnest($1::int8[], $2::int8[], $3::int4[],"
	    " $4::int8[], $5::int8[], $6::int4[], $7::text[], $8::text[],"
	    " $9::text[], $10::text[], $11::text[], $12::text[], $13::float8[],"
	    " $14::float8[]) AS u (id, ts, part, off, hash, hollow, name, urlname,"
	    " city, state, country, topics, lat, lon)",
	    SENT("name") ", " SENT("urlname") ", " SENT("city") ", "
	    SENT("state") ", " SENT("country") ", " SENT("topics")
	    ", lat = excluded.lat, lon = excluded.lon"), 6, 0, true },
	[DETAIL_VENUE] = { DETAIL_SQL("venues", "venue_id", "name, lat, lon",
	    "u.name, u.lat, u.lon FROM unnest($1::int8[], $2::int8[],"
	    " $3::int4[], $4::int8[], $5::int8[], $6::int4[], $7::text[],"
	    " $8::float8[], $9::float8[]) AS u"
	    " (id, ts, part, off, hash, hollow, name, lat, lon)",
	    SENT("name") ", lat = excluded.lat, lon = excluded.lon"),
	    1, 0, true },
	[DETAIL_MEMBER] = { DETAIL_SQL("members", "member_id", "name, photo",
	    "u.name, u.photo FROM unnest($1::int8[], $2::int8[], $3::int4[],"
	    " $4::int8[], $5::int8[], $6::int4[], $7::text[], $8::text[]) AS u"
	    " (id, ts, part, off, hash, hollow, name, photo)",
	    SENT("name") ", " SENT("photo")), 2, 0, false },
};
/* clang-format on */

static void
add_place(struct statement *st, const struct detail_set *set)
{
	struct buf *lat = statement_column(st, ARRAY_FLOAT8, set->n);
	struct buf *lon = statement_column(st, ARRAY_FLOAT8, set->n);
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

/* Id, place in log order, content hash, hollow or not. */
static void
add_places_in_log(struct statement *st, const struct batch *b, int kind,
    const struct detail_set *set, const unsigned char *hollow)
{
	bool text_id = kind == DETAIL_EVENT;
	struct buf *id = statement_column(
	    st, text_id ? ARRAY_TEXT : ARRAY_INT8, set->n);
	struct buf *ts = statement_column(st, ARRAY_INT8, set->n);
	struct buf *part = statement_column(st, ARRAY_INT4, set->n);
	struct buf *off = statement_column(st, ARRAY_INT8, set->n);
	struct buf *hash = statement_column(st, ARRAY_INT8, set->n);
	struct buf *mark = statement_column(st, ARRAY_INT4, set->n);
	const struct detail_row *row;
	size_t i;

	for (i = 0; i < set->n; i++) {
		row = &set->rows[i];
		if (text_id)
			column_span(id, b, &row->key);
		else
			array_int8(id, row->id);
		array_int8(ts, row->pos.ts);
		array_int4(part, row->pos.part);
		array_int8(off, row->pos.offset);
		array_int8(hash, (int64_t)row->hash);
		array_int4(mark, hollow[i]);
	}
}

/* All columns of a set.  Only texts are left out: the rest is small. */
static void
make_kind(struct statement *st, const struct batch *b, int kind,
    const struct detail_set *set, const unsigned char *hollow)
{
	struct buf *col;
	size_t i;
	int c;

	statement_begin(st, details[kind].sql);
	add_places_in_log(st, b, kind, set, hollow);
	for (c = 0; c < details[kind].texts; c++) {
		col = statement_column(st, ARRAY_TEXT, set->n);
		for (i = 0; i < set->n; i++) {
			if (hollow[i])
				array_null(col);
			else
				column_span(col, b, &set->rows[i].texts[c]);
		}
	}
	for (c = 0; c < details[kind].numbers; c++) {
		col = statement_column(st, ARRAY_INT8, set->n);
		for (i = 0; i < set->n; i++)
			column_number(
			    col, set->rows[i].numbers[c], RSVP_ABSENT);
	}
	if (details[kind].place)
		add_place(st, set);
}

static bool
is_row(const struct batch *b, int kind, const struct detail_row *row,
    const char *id)
{
	if (kind != DETAIL_EVENT)
		return row->id == strtoll(id, NULL, 10);
	return strlen(id) == row->key.len &&
	    memcmp(id, batch_bytes(b, &row->key), row->key.len) == 0;
}

/*
 * The rows of a set that an answer calls hollow, both in the order of ids;
 * the caller frees the rows.  Counts the other rows of the answer: changed.
 */
static struct detail_set
pick_hollow(const struct batch *b, int kind, const struct detail_set *set,
    PGresult *res, int64_t *changed)
{
	struct detail_set picked = { .rows = NULL };
	int n = PQntuples(res), i;
	size_t at = 0;

	picked.rows = xreallocarray(NULL, (size_t)n + 1, sizeof(*picked.rows));
	for (i = 0; i < n; i++) {
		if (PQgetvalue(res, i, 1)[0] != 't') {
			++*changed;
			continue;
		}
		while (at < set->n &&
		    !is_row(b, kind, &set->rows[at], PQgetvalue(res, i, 0)))
			at++;
		if (at < set->n)
			picked.rows[picked.n++] = set->rows[at];
	}
	return picked;
}

/* Makes the statements of a batch, for store_details(). */
void
details_make(
    struct statements *all, const struct batch *b, const struct known *known)
{
	const struct detail_set *set;
	unsigned char *hollow;
	size_t i;
	int kind;

	for (kind = 0; kind < DETAIL_KINDS; kind++) {
		set = &b->details[kind];
		statement_begin(all->details[kind], NULL);
		if (set->n == 0)
			continue;
		hollow = xcalloc(set->n, 1);
		for (i = 0; i < set->n; i++)
			hollow[i] = known_has(
			    known, (enum detail_kind)kind, &set->rows[i]);
		make_kind(all->details[kind], b, kind, set, hollow);
		free(hollow);
	}
}

/* Sends the rows; *again are those of them that came back hollow. */
static int
send_rows(struct db *db, struct statement *st, const struct batch *b, int kind,
    const struct detail_set *set, struct detail_set *again, int64_t *changed,
    int timeout_ms)
{
	PGresult *res = statement_run(st, db, timeout_ms);

	if (res == NULL)
		return -1;
	*again = pick_hollow(b, kind, set, res, changed);
	PQclear(res);
	return 0;
}

static int
store_kind(struct db *db, struct statements *all, const struct batch *b,
    int kind, int64_t *changed, int timeout_ms)
{
	const struct detail_set *set = &b->details[kind];
	struct detail_set again, none;
	unsigned char *whole;
	int rc = 0;

	if (send_rows(db, all->details[kind], b, kind, set, &again, changed,
		timeout_ms) == -1)
		return -1;
	if (again.n > 0) {
		whole = xcalloc(again.n, 1);
		make_kind(all->again, b, kind, &again, whole);
		free(whole);
		rc = send_rows(db, all->again, b, kind, &again, &none, changed,
		    timeout_ms);
		if (rc == 0)
			free(none.rows);
	}
	free(again.rows);
	return rc;
}

/*
 * Stores events, groups, venues, members, in this order, each by its id; 0,
 * or -1 with the reason in the handle.  What is stored when the transaction
 * commits is for known_add().
 */
int
store_details(struct db *db, struct statements *all, const struct batch *b,
    struct stored *stored, int timeout_ms)
{
	int kind;

	for (kind = 0; kind < DETAIL_KINDS; kind++)
		if (statement_is_made(all->details[kind]) &&
		    store_kind(db, all, b, kind, &stored->details_changed[kind],
			timeout_ms) == -1)
			return -1;
	return 0;
}
