/* Events by the words of their names: one statement, rendered without I/O. */
#ifndef TURNOUT_FCGI_SEARCH_H
#define TURNOUT_FCGI_SEARCH_H

#include <stddef.h>

#include "fcgi/answer.h"
#include "fcgi/details.h"
#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "lib/db.h"

struct search {
	const char *words; /* borrowed from the request */
	int limit;
	struct answer answer;
	size_t n;
	struct details_event events[REQUEST_LIMIT_MAX];
	PGresult *res; /* owns the text */
};

enum fill search_load(struct search *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
void search_free(struct search *);
void search_json(struct response *, const struct search *);
void search_html(struct response *, const struct search *);

#endif
