/*
 * The grammar of an RSVP message: bytes in, a checked struct or a reason out.
 * Pure: no I/O, no log, no clock.  Nothing is used before its type, range
 * and length were checked, and nothing is trimmed to fit.
 */
#ifndef TURNOUT_INGEST_RSVP_H
#define TURNOUT_INGEST_RSVP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

#define RSVP_SIZE_MAX 65536  /* bytes of a message */
#define RSVP_ID_TEXT_MAX 512 /* bytes of an event id: it is an index key */
#define RSVP_TEXT_MAX 4096   /* bytes of a name or an address */
#define RSVP_TOPICS_MAX 100
#define RSVP_GUESTS_MAX 1000
#define RSVP_ABSENT (-1) /* of an optional number that cannot be negative */
#define RSVP_TIME_MIN INT64_C(946684800000)  /* 2000-01-01, ms */
#define RSVP_TIME_MAX INT64_C(4102444800000) /* 2100-01-01, ms: of any time */
#define RSVP_FUTURE_MS INT64_C(86400000) /* mtime may lead its record by this */

enum rsvp_response {
	RSVP_YES, /* the order is part of the version rule */
	RSVP_WAITLIST,
	RSVP_NO,
};

/* Text of a message, borrowed from the parser; p == NULL: absent. */
struct text {
	const char *p;
	size_t len;
};

struct rsvp_group {
	int64_t group_id;
	struct text name, urlname, city, state, country;
	struct text topics; /* JSON array, built by the parser */
	bool has_place;	    /* lat and lon are there */
	double lat, lon;
};

struct rsvp_venue {
	int64_t venue_id; /* RSVP_ABSENT: no venue */
	struct text name;
	bool has_place; /* there, and not 0,0: that is the stream's "unknown" */
	double lat, lon;
};

struct rsvp {
	int64_t rsvp_id;
	int64_t mtime_ms;
	enum rsvp_response response;
	int guests; /* RSVP_ABSENT or 0..RSVP_GUESTS_MAX */
	struct text event_id;
	struct text event_name, event_url;
	int64_t starts_ms; /* RSVP_ABSENT or ms since 1970 */
	int64_t member_id; /* RSVP_ABSENT: no member */
	struct text member_name, member_photo;
	struct rsvp_group group;
	struct rsvp_venue venue;
};

/* Why a message is none; rsvp_reasons[] has the codes and sentences. */
enum rsvp_reason {
	RSVP_OK,
	RSVP_EMPTY,
	RSVP_TOO_LARGE,
	RSVP_BAD_UTF8,
	RSVP_NUL,
	RSVP_CONTROL,
	RSVP_TRUNCATED,
	RSVP_SYNTAX,
	RSVP_TRAILING,
	RSVP_TOO_DEEP,
	RSVP_NOT_OBJECT,
	RSVP_MISSING,
	RSVP_TYPE,
	RSVP_RANGE,
	RSVP_LENGTH,
	RSVP_BAD_RESPONSE,
	RSVP_REASONS
};

struct rsvp_reason_text {
	const char
	    *code; /* stored in dead_letters.reason; a field may follow */
	const char *sentence;
};

extern const struct rsvp_reason_text rsvp_reasons[RSVP_REASONS];

/* What is wrong: a reason, and the field where there is one. */
struct rsvp_fault {
	enum rsvp_reason reason;
	const char *field; /* static: "rsvp_id", "event.time"; NULL = none */
};

struct rsvp_parser;

struct rsvp_parser *rsvp_parser_open(void);
int rsvp_parse(struct rsvp_parser *, const void *value, size_t len,
    int64_t now_ms, struct rsvp *, struct rsvp_fault *) MUSTCHECK;
void rsvp_fault_code(const struct rsvp_fault *, char *out, size_t room);
void rsvp_parser_close(struct rsvp_parser *);

#endif
