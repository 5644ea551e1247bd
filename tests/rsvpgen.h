/*
 * rsvpgen: an RSVP stream like the real one.  stream decides which RSVP comes
 * next, text writes it as the site did, words has what names are made of.
 *
 * Nothing is stored for an event, a group, a venue or a member: each is a
 * pure function of the seed and its number, so that memory does not grow with
 * them and the same arguments give the same bytes.
 */
#ifndef TURNOUT_RSVPGEN_H
#define TURNOUT_RSVPGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RSVPGEN_LINE_MAX 8192 /* bytes; no message is longer */

/* What is wrong with a message that was asked to be bad. */
enum rsvp_fault {
	RSVP_FINE,
	RSVP_CUT, /* JSON that ends in the middle */
	RSVP_NOT_JSON,
	RSVP_NOT_OBJECT,
	RSVP_BARE,    /* nothing but an id */
	RSVP_MAYBE,   /* a response that does not exist */
	RSVP_SECONDS, /* mtime in seconds */
	RSVP_ID_TEXT, /* rsvp_id is a string */
	RSVP_BAD_UTF8,
	RSVP_NUL,   /* an escaped NUL in a name */
	RSVP_MINUS, /* guests below 0 */
	RSVP_NFAULTS,
};

struct rsvp {
	uint64_t rsvp_id;
	int64_t mtime_ms;
	uint64_t event;	 /* 0 .. events - 1 */
	uint64_t member; /* number; its id is made from it */
	int guests;
	bool yes;
	bool changed; /* the event's details as they were after a change */
	enum rsvp_fault fault;
};

struct rsvpgen_world {
	uint64_t seed;
	uint64_t events;
	int64_t start_ms; /* of the stream; events lie after it */
};

/* A row of words is JSON text: escaped where the site escaped. */
struct word {
	const char *text;
	size_t len;
};

#define WORD(s)                                                                \
	{                                                                      \
		(s), sizeof(s) - 1                                             \
	}

struct word_topic {
	struct word urlkey;
	struct word name;
};

struct word_city {
	struct word name;
	struct word country;
	struct word state;  /* empty = the country has none */
	int lat_e2, lon_e2; /* hundredths of a degree */
};

extern const struct word_topic word_topics[];
extern const size_t word_ntopics;
extern const struct word_city word_cities[]; /* those with a state first */
extern const size_t word_ncities;
extern const size_t word_nstates;
extern const struct word word_events[];
extern const size_t word_nevents;
extern const struct word word_odd_events[];
extern const size_t word_nodd_events;
extern const struct word word_groups[];
extern const size_t word_ngroups;
extern const struct word word_odd_groups[][2]; /* name, urlname */
extern const size_t word_nodd_groups;
extern const struct word word_venues[];
extern const size_t word_nvenues;
extern const struct word word_members[];
extern const size_t word_nmembers;

uint64_t rng_mix(uint64_t);
uint64_t rng_next(uint64_t *state);
uint64_t rng_below(uint64_t *state, uint64_t n);
bool rng_chance(uint64_t *state, uint64_t per_million);

size_t rsvpgen_text(char out[RSVPGEN_LINE_MAX], const struct rsvpgen_world *,
    const struct rsvp *);

struct rsvpgen_stream;

struct rsvpgen_stream *rsvpgen_stream_open(const struct rsvpgen_world *,
    uint64_t gap_us, int64_t from_ms, uint64_t bad_per_million);
void rsvpgen_stream_next(struct rsvpgen_stream *, struct rsvp *out);
void rsvpgen_stream_gap(struct rsvpgen_stream *, uint64_t gap_us);
void rsvpgen_stream_close(struct rsvpgen_stream *);

#endif
