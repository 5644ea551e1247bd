/*
 * Which RSVP comes next.  The ratios were counted in real captures:
 *
 *   24% of the messages are of an id that was seen before: 17% are copies with
 *   mtime rounded to the second, 6 to 8 messages later; 2% byte for byte the
 *   same, now and then in a storm of dozens; 5% are changes (mostly yes to no,
 *   or other guests)
 *   79.5% say yes; 94% bring no guest, some 1 or 2, one in thousands up to 58
 *   under 1% of the first messages are late, by seconds to 143 days
 */
#include "config.h"

#include <stdlib.h>

#include "lib/attr.h"
#include "lib/xalloc.h"
#include "tests/rsvpgen.h"

#define HISTORY 4096 /* RSVPs that may change; a power of 2 */
#define AHEAD 128    /* messages that a copy may be put ahead; likewise */
#define TREND 3000   /* messages that an event stays in fashion */

enum {
	PER_COPY = 216000, /* chances in a million */
	PER_SAME = 13500,
	PER_STORM = 350,
	PER_CHANGE = 62000,
	PER_LATE = 7000,
	PER_TREND = 40000,
	PER_DETAILS = 15000,
};

/* A message that is due at a place further on. */
struct planned {
	struct rsvp rsvp;
	int again; /* times after this one: a storm */
	bool used;
};

struct rsvpgen_stream {
	const struct rsvpgen_world *world;
	uint64_t rng;
	uint64_t gap_us; /* between messages, on average */
	int64_t now_us;
	uint64_t bad; /* chances in a million */
	uint64_t count;
	uint64_t next_id;
	uint64_t known; /* RSVPs ever put in the history */
	struct rsvp history[HISTORY];
	struct planned planned[AHEAD];
};

/* SplitMix64's finisher: a number that looks nothing like x. */
uint64_t
rng_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9U;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebU;
	return x ^ (x >> 31);
}

/* SplitMix64: one word of state, good enough to make things up. */
uint64_t
rng_next(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15U;
	return rng_mix(*state);
}

/* A number below n, which is at most 2^32. */
uint64_t
rng_below(uint64_t *state, uint64_t n)
{
	return ((rng_next(state) >> 32) * n) >> 32;
}

bool
rng_chance(uint64_t *state, uint64_t per_million)
{
	return rng_below(state, 1000000) < per_million;
}

/*
 * A stream of w's RSVPs; the first is at about from_ms.  w must stay.  Free
 * with rsvpgen_stream_close().
 */
struct rsvpgen_stream *
rsvpgen_stream_open(const struct rsvpgen_world *w, uint64_t gap_us,
    int64_t from_ms, uint64_t bad_per_million)
{
	struct rsvpgen_stream *s = xcalloc(1, sizeof(*s));

	s->world = w;
	s->rng = rng_mix(w->seed);
	s->gap_us = gap_us;
	s->now_us = from_ms * 1000;
	s->bad = bad_per_million;
	s->next_id = 1500000000 + rng_below(&s->rng, 100000000);
	return s;
}

/* From now on messages are gap_us apart. */
void
rsvpgen_stream_gap(struct rsvpgen_stream *s, uint64_t gap_us)
{
	s->gap_us = gap_us;
}

void
rsvpgen_stream_close(struct rsvpgen_stream *s)
{
	free(s);
}

/*
 * A few events get many RSVPs, most get few: the event's number grows with
 * the square of a uniform one (and a little with itself, so that the first
 * ones stay close).  Besides, one event at a time is in fashion.
 */
static uint64_t
pick_event(struct rsvpgen_stream *s)
{
	uint64_t u;

	if (rng_chance(&s->rng, PER_TREND)) {
		u = rng_mix(s->world->seed + s->count / TREND) >> 32;
		return (u * s->world->events) >> 32;
	}
	u = rng_next(&s->rng) >> 32;
	u = ((u * u >> 32) + u / 16) / 17 * 16;
	return (u * s->world->events) >> 32;
}

static int
pick_guests(struct rsvpgen_stream *s, bool yes)
{
	uint64_t u = rng_below(&s->rng, 10000);

	if (!yes)
		return u < 4 ? 1 : 0;
	if (u < 9260)
		return 0;
	if (u < 9740)
		return 1;
	if (u < 9880)
		return 2;
	if (u < 9998)
		return 3 + (int)rng_below(&s->rng, 6);
	return 9 + (int)rng_below(&s->rng, 50);
}

static void
remember(struct rsvpgen_stream *s, const struct rsvp *r)
{
	s->history[s->known % HISTORY] = *r;
	s->known++;
}

static void
make_new(struct rsvpgen_stream *s, struct rsvp *r)
{
	s->next_id += 1 + rng_below(&s->rng, 3);
	r->rsvp_id = s->next_id;
	r->mtime_ms = s->now_us / 1000;
	r->event = pick_event(s);
	r->member = rng_below(&s->rng, 4000000);
	r->yes = rng_below(&s->rng, 1000) < 805;
	r->guests = pick_guests(s, r->yes);
	r->changed = rng_chance(&s->rng, PER_DETAILS);
	r->fault = RSVP_FINE;
	if (rng_chance(&s->rng, PER_LATE)) {
		/* 2^1 to 2^23 seconds and half of it again: 143 days */
		int64_t late = (int64_t)1000 << (1 + rng_below(&s->rng, 23));

		r->mtime_ms -= late +
		    (int64_t)rng_below(&s->rng, (uint64_t)late / 1000) * 473;
	}
	remember(s, r);
}

/* Somebody thinks again, rather soon than late. */
static void
make_change(struct rsvpgen_stream *s, struct rsvp *r)
{
	uint64_t back = (uint64_t)1 << rng_below(&s->rng, 12);
	struct rsvp *old;

	back += rng_below(&s->rng, back);
	if (back > s->known)
		back = s->known;
	if (back > HISTORY)
		back = HISTORY;
	old = &s->history[(s->known - back) % HISTORY];
	old->mtime_ms = s->now_us / 1000;
	old->changed = rng_chance(&s->rng, PER_DETAILS);
	if (rng_below(&s->rng, 100) < 48)
		old->yes = rng_below(&s->rng, 100) < 40 ? true : !old->yes;
	old->guests = pick_guests(s, old->yes);
	*r = *old;
}

/* Puts a message at a place that is ahead by n, or at the next free one. */
static void
plan(struct rsvpgen_stream *s, const struct rsvp *r, uint64_t n, int again)
{
	struct planned *p;
	uint64_t i;

	for (i = 0; i < AHEAD / 4; i++) {
		p = &s->planned[(s->count + n + i) % AHEAD];
		if (p->used)
			continue;
		p->rsvp = *r;
		p->again = again;
		p->used = true;
		return;
	}
}

/* The copies that a first message or a change will have. */
static void
plan_copies(struct rsvpgen_stream *s, const struct rsvp *r)
{
	struct rsvp copy = *r;

	if (rng_chance(&s->rng, PER_COPY)) {
		copy.mtime_ms = (r->mtime_ms + 500) / 1000 * 1000;
		plan(s, &copy, 5 + rng_below(&s->rng, 3), 0);
	}
	if (rng_chance(&s->rng, PER_SAME))
		plan(s, r, 3 + rng_below(&s->rng, 30), 0);
	if (rng_chance(&s->rng, PER_STORM))
		plan(s, r, 10 + rng_below(&s->rng, 20),
		    8 + (int)rng_below(&s->rng, 22));
}

/* The next message of the stream, in *out. */
void
rsvpgen_stream_next(struct rsvpgen_stream *s, struct rsvp *out)
{
	struct planned *due = &s->planned[s->count % AHEAD];

	s->count++;
	s->now_us += (int64_t)(s->gap_us * rng_below(&s->rng, 2000) / 1000);
	if (s->bad > 0 && rng_chance(&s->rng, s->bad)) {
		make_new(s, out);
		s->known--;
		out->fault = (enum rsvp_fault)(
		    1 + rng_below(&s->rng, RSVP_NFAULTS - 1));
		if (due->used)
			plan(s, &due->rsvp, 1, due->again);
		due->used = false;
		return;
	}
	if (due->used) {
		*out = due->rsvp;
		due->used = false;
		if (due->again > 0)
			plan(s, out, 20 + rng_below(&s->rng, 60),
			    due->again - 1);
		return;
	}
	if (s->known > 0 && rng_chance(&s->rng, PER_CHANGE))
		make_change(s, out);
	else
		make_new(s, out);
	plan_copies(s, out);
}
