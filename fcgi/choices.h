/*
 * What a form offers to choose from: topics, cities, countries, those of most
 * groups first.  One statement each, rendered without I/O.
 */
#ifndef TURNOUT_FCGI_CHOICES_H
#define TURNOUT_FCGI_CHOICES_H

#include <stddef.h>
#include <stdint.h>

#include "fcgi/answer.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "lib/db.h"

#define CHOICES_MAX 300

enum choices_kind {
	CHOICES_TOPICS,
	CHOICES_CITIES,
	CHOICES_COUNTRIES,
};

struct choice {
	const char *value; /* what the filter takes */
	const char *more;  /* a topic's name, a city's country; NULL = absent */
	int64_t groups;
};

struct choices {
	enum choices_kind kind;
	struct answer answer;
	size_t n;
	struct choice choices[CHOICES_MAX];
	PGresult *res; /* owns the text */
};

enum fill choices_load(
    struct choices *, enum choices_kind, struct db *, int timeout_ms) MUSTCHECK;
void choices_free(struct choices *);
void choices_json(struct response *, const struct choices *);

#endif
