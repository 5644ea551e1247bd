/* A batch; see batch.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "ingest/batch.h"
#include "ingest/version.h"
#include "lib/xalloc.h"

/* What details come to before their texts are copied. */
struct detail_draft {
	int64_t id;
	const struct text *key;
	struct text texts[DETAIL_TEXTS];
	int64_t numbers[DETAIL_NUMBERS];
	bool has_place;
	double lat, lon;
};

struct wanted {
	const struct batch *batch;
	int64_t id;
	const struct text *key; /* NULL: by id */
};

/* Starts an empty batch; source is copied. */
void
batch_init(struct batch *b, const char *source, bool store_members)
{
	memset(b, 0, sizeof(*b));
	b->source = xstrdup(source);
	b->store_members = store_members;
}

static void *
more(void *rows, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return rows;
	*cap = *cap == 0 ? 256 : *cap * 2;
	return xreallocarray(rows, *cap, size);
}

static struct span
keep(struct batch *b, const void *data, size_t len)
{
	struct span s = { .at = (uint32_t)b->arena.len,
		.len = (uint32_t)len & INT32_MAX,
		.absent = data == NULL };

	if (data != NULL)
		buf_add(&b->arena, data, len);
	return s;
}

/* Borrows a span's bytes; valid until the next record is added. */
const char *
batch_bytes(const struct batch *b, const struct span *s)
{
	return s->absent ? NULL : buf_str(&b->arena) + s->at;
}

/* <0, 0 or >0 as a comes before, is, or comes after b in log order. */
int
position_compare(const struct position *a, const struct position *b)
{
	if (a->ts != b->ts)
		return a->ts < b->ts ? -1 : 1;
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static bool
same_rsvp(const void *rows, size_t row, const void *wanted)
{
	const struct rsvp_row *r = rows;
	const struct wanted *w = wanted;

	return r[row].rsvp_id == w->id;
}

static struct version
version_of(const struct batch *b, const struct rsvp_row *row)
{
	return (struct version){ .mtime_ms = row->mtime_ms,
		.response = (int)row->response,
		.guests = row->guests,
		.event_id = batch_bytes(b, &row->event_id),
		.event_id_len = row->event_id.len,
		.member_id = row->member_id };
}

static void
add_rsvp(struct batch *b, const struct rsvp *r)
{
	struct wanted w = { .batch = b, .id = r->rsvp_id };
	struct version fresh = { .mtime_ms = r->mtime_ms,
		.response = (int)r->response,
		.guests = r->guests,
		.event_id = r->event_id.p,
		.event_id_len = r->event_id.len,
		.member_id = r->member_id };
	uint64_t hash = XXH3_64bits(&r->rsvp_id, sizeof(r->rsvp_id));
	size_t i = map_find(&b->rsvp_map, hash, same_rsvp, b->rsvps, &w);
	struct version old;
	struct rsvp_row *row;

	if (i != SIZE_MAX) {
		old = version_of(b, &b->rsvps[i]);
		if (version_compare(&fresh, &old) <= 0)
			return;
	} else {
		b->rsvps = more(
		    b->rsvps, b->nrsvps, &b->rsvps_cap, sizeof(*b->rsvps));
		i = b->nrsvps++;
		map_add(&b->rsvp_map, hash, i);
	}
	row = &b->rsvps[i];
	row->rsvp_id = r->rsvp_id;
	row->mtime_ms = r->mtime_ms;
	row->member_id = r->member_id;
	row->guests = r->guests;
	row->response = r->response;
	row->event_id = keep(b, r->event_id.p, r->event_id.len);
}

static uint64_t
hash_draft(const struct detail_draft *d)
{
	XXH64_state_t *state = XXH64_createState();
	uint64_t hash, len;
	size_t i;

	if (state == NULL)
		abort();
	XXH64_reset(state, 0);
	for (i = 0; i < DETAIL_TEXTS; i++) {
		len = d->texts[i].p == NULL ? UINT64_MAX : d->texts[i].len;
		XXH64_update(state, &len, sizeof(len));
		if (d->texts[i].p != NULL)
			XXH64_update(state, d->texts[i].p, d->texts[i].len);
	}
	XXH64_update(state, d->numbers, sizeof(d->numbers));
	if (d->has_place) {
		XXH64_update(state, &d->lat, sizeof(d->lat));
		XXH64_update(state, &d->lon, sizeof(d->lon));
	}
	hash = XXH64_digest(state);
	XXH64_freeState(state);
	return hash;
}

static bool
same_detail(const void *rows, size_t row, const void *wanted)
{
	const struct detail_row *d = (const struct detail_row *)rows + row;
	const struct wanted *w = wanted;

	if (w->key == NULL)
		return d->id == w->id;
	return d->key.len == w->key->len &&
	    memcmp(batch_bytes(w->batch, &d->key), w->key->p, d->key.len) == 0;
}

static void
add_detail(struct batch *b, enum detail_kind kind,
    const struct detail_draft *draft, const struct position *pos)
{
	struct detail_set *set = &b->details[kind];
	struct wanted w = { .batch = b, .id = draft->id, .key = draft->key };
	uint64_t hash = draft->key != NULL
	    ? XXH3_64bits(draft->key->p, draft->key->len)
	    : XXH3_64bits(&draft->id, sizeof(draft->id));
	uint64_t content = hash_draft(draft);
	size_t i = map_find(&set->map, hash, same_detail, set->rows, &w);
	struct detail_row *row;
	bool fresh = i == SIZE_MAX;
	size_t t;

	if (fresh) {
		set->rows = more(
		    set->rows, set->n, &set->cap, sizeof(*set->rows));
		i = set->n++;
		map_add(&set->map, hash, i);
		memset(&set->rows[i], 0, sizeof(set->rows[i]));
		set->rows[i].id_hash = hash;
		if (draft->key != NULL)
			set->rows[i].key = keep(
			    b, draft->key->p, draft->key->len);
	}
	row = &set->rows[i];
	if (!fresh && position_compare(pos, &row->pos) <= 0)
		return;
	row->pos = *pos;
	if (!fresh && row->hash == content)
		return;
	row->id = draft->id;
	row->hash = content;
	for (t = 0; t < DETAIL_TEXTS; t++)
		row->texts[t] = keep(b, draft->texts[t].p, draft->texts[t].len);
	memcpy(row->numbers, draft->numbers, sizeof(row->numbers));
	row->has_place = draft->has_place;
	row->lat = draft->lat;
	row->lon = draft->lon;
}

static void
add_details(struct batch *b, const struct rsvp *r, const struct position *pos)
{
	const struct rsvp_group *g = &r->group;
	const struct rsvp_venue *v = &r->venue;
	struct detail_draft event = { .key = &r->event_id,
		.texts = { r->event_name, r->event_url },
		.numbers = { r->starts_ms, g->group_id, v->venue_id } };
	struct detail_draft group = { .id = g->group_id,
		.texts = { g->name, g->urlname, g->city, g->state, g->country,
		    g->topics },
		.has_place = g->has_place,
		.lat = g->lat,
		.lon = g->lon };
	struct detail_draft venue = { .id = v->venue_id,
		.texts = { v->name },
		.has_place = v->has_place,
		.lat = v->lat,
		.lon = v->lon };
	struct detail_draft member = { .id = r->member_id };

	add_detail(b, DETAIL_EVENT, &event, pos);
	add_detail(b, DETAIL_GROUP, &group, pos);
	if (v->venue_id != RSVP_ABSENT)
		add_detail(b, DETAIL_VENUE, &venue, pos);
	if (r->member_id == RSVP_ABSENT)
		return;
	if (b->store_members) {
		member.texts[0] = r->member_name;
		member.texts[1] = r->member_photo;
	}
	add_detail(b, DETAIL_MEMBER, &member, pos);
}

static struct record *
add_record(struct batch *b, const struct incoming *in)
{
	struct record *rec;

	b->records = more(
	    b->records, b->nrecords, &b->records_cap, sizeof(*b->records));
	rec = &b->records[b->nrecords++];
	memset(rec, 0, sizeof(*rec));
	rec->pos = in->pos;
	if (!in->has_ts)
		rec->pos.ts = INT64_MIN;
	rec->key = keep(b, in->key, in->key_len);
	rec->value = keep(b, in->value, in->value_len);
	rec->letter_id = in->letter_id;
	return rec;
}

/*
 * Adds a record: as an RSVP and its details, or, when it is no valid message,
 * as a dead letter.  now_ms bounds how far its mtime may lie ahead.  The
 * details of a record without a timestamp of its own (a line of a file) have
 * their RSVP's mtime for one.
 */
void
batch_add(struct batch *b, const struct incoming *in, struct rsvp_parser *rp,
    int64_t now_ms)
{
	struct record *rec = add_record(b, in);
	struct position pos = in->pos;
	struct rsvp_fault fault;
	struct rsvp r;

	if (rsvp_parse(rp, in->value, in->value_len, now_ms, &r, &fault) ==
	    -1) {
		rsvp_fault_code(&fault, rec->reason, sizeof(rec->reason));
		b->nbad++;
		return;
	}
	if (!in->has_ts)
		pos.ts = r.mtime_ms;
	add_rsvp(b, &r);
	add_details(b, &r, &pos);
}

/* Adds a record as a dead letter, whatever it holds. */
void
batch_add_refused(
    struct batch *b, const struct incoming *in, const char *reason)
{
	struct record *rec = add_record(b, in);

	strncpy(rec->reason, reason, sizeof(rec->reason) - 1);
	b->nbad++;
}

/* The first move that goes on; NULL: the batch moves nothing, a heartbeat. */
const struct move *
batch_first_move(const struct batch *b)
{
	size_t i;

	for (i = 0; i < b->nmoves; i++)
		if (b->moves[i].next != b->moves[i].expected)
			return &b->moves[i];
	return NULL;
}

/* Does it move that partition? */
bool
batch_moves(const struct batch *b, int32_t part)
{
	size_t i;

	for (i = 0; i < b->nmoves; i++)
		if (b->moves[i].part == part)
			return true;
	return false;
}

/*
 * The move of a partition, made on first use with what the database is
 * expected to have.  Borrowed; valid until the next batch_move().
 */
struct move *
batch_move(struct batch *b, int32_t part, int64_t expected)
{
	struct move *m;
	size_t i;

	for (i = 0; i < b->nmoves; i++)
		if (b->moves[i].part == part)
			return &b->moves[i];
	b->moves = xreallocarray(b->moves, b->nmoves + 1, sizeof(*b->moves));
	m = &b->moves[b->nmoves++];
	memset(m, 0, sizeof(*m));
	m->part = part;
	m->expected = m->next = expected;
	m->last_offset = m->high = INT64_MIN;
	return m;
}

static int
by_rsvp_id(const void *a, const void *b)
{
	const struct rsvp_row *x = a, *y = b;

	return (x->rsvp_id > y->rsvp_id) - (x->rsvp_id < y->rsvp_id);
}

static int
by_id(const void *a, const void *b)
{
	const struct detail_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int
by_key(const void *a, const void *b, void *arg)
{
	const struct detail_row *x = a, *y = b;
	const struct batch *batch = arg;
	size_t n = x->key.len < y->key.len ? x->key.len : y->key.len;
	int c = memcmp(
	    batch_bytes(batch, &x->key), batch_bytes(batch, &y->key), n);

	return c != 0 ? c
		      : (x->key.len > y->key.len) - (x->key.len < y->key.len);
}

static int
by_part(const void *a, const void *b)
{
	const struct move *x = a, *y = b;

	return (x->part > y->part) - (x->part < y->part);
}

/*
 * Puts all rows in the order in which every writer locks them; the last step
 * before storing: nothing may be added afterwards.
 */
void
batch_sort(struct batch *b)
{
	struct detail_set *events = &b->details[DETAIL_EVENT];
	int kind;

	if (b->nrsvps > 0)
		qsort(b->rsvps, b->nrsvps, sizeof(*b->rsvps), by_rsvp_id);
	if (events->n > 0)
		qsort_r(
		    events->rows, events->n, sizeof(*events->rows), by_key, b);
	for (kind = DETAIL_GROUP; kind < DETAIL_KINDS; kind++)
		if (b->details[kind].n > 0)
			qsort(b->details[kind].rows, b->details[kind].n,
			    sizeof(*b->details[kind].rows), by_id);
	if (b->nmoves > 0)
		qsort(b->moves, b->nmoves, sizeof(*b->moves), by_part);
}

/* Empties the batch, keeps its room and its source. */
void
batch_clear(struct batch *b)
{
	int kind;

	buf_clear(&b->arena);
	b->nrecords = b->nbad = b->nrsvps = b->nmoves = 0;
	b->opened_ms = 0;
	map_clear(&b->rsvp_map);
	for (kind = 0; kind < DETAIL_KINDS; kind++) {
		b->details[kind].n = 0;
		map_clear(&b->details[kind].map);
	}
}

void
batch_free(struct batch *b)
{
	int kind;

	free(b->source);
	buf_free(&b->arena);
	free(b->records);
	free(b->rsvps);
	map_free(&b->rsvp_map);
	for (kind = 0; kind < DETAIL_KINDS; kind++) {
		free(b->details[kind].rows);
		map_free(&b->details[kind].map);
	}
	free(b->moves);
	memset(b, 0, sizeof(*b));
}
