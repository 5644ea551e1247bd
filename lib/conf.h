/*
 * Configuration: a static table of keys becomes a struct.  The file is INI
 * (libinih): "[pool]" then "workers = 4" sets the key "pool.workers".  The
 * environment overrides the file: TURNOUT_POOL_WORKERS.  An unknown key, a
 * repeated key, a value out of range or a line too long is an error that
 * names file, line, key and what is allowed; nothing is silently defaulted.
 */
#ifndef TURNOUT_CONF_H
#define TURNOUT_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

#define CONF_LINE_MAX 1024 /* bytes in a line of the file, newline included */

enum conf_type {
	CONF_STRING, /* char *, owned by the struct */
	CONF_NUMBER, /* long, min..max */
	CONF_BOOL,   /* bool, "yes" or "no" */
	CONF_CHOICE, /* int, index into choices */
	CONF_PAIRS,  /* struct conf_pairs; the key is "section.*" */
};

/* What a CONF_PAIRS section held, in order: passed through, not judged. */
struct conf_pairs {
	char **names;
	char **values;
	size_t n;
};

struct conf_key {
	const char *name; /* "pool.workers" */
	enum conf_type type;
	size_t offset;		    /* of the field in the struct */
	long min, max;		    /* CONF_NUMBER */
	const char *preset;	    /* the default as text; NULL = required */
	const char *const *choices; /* CONF_CHOICE: NULL-terminated */
	const char *help;	    /* one sentence, with the unit */
};

struct buf;

const char *conf_path(const char *given, const char *preset);
void conf_say_ok(const char *path, const char *preset);
int conf_load(void *out, const struct conf_key *, size_t nkeys,
    const char *path, struct buf *why) MUSTCHECK;
void conf_print(
    const void *, const struct conf_key *, size_t nkeys, struct buf *out);
void conf_free(void *, const struct conf_key *, size_t nkeys);
int conf_number(long *out, const char *text, long min, long max) MUSTCHECK;

#endif
