/* The table of what Turnout serves; see route.h. */
#include "config.h"

#include <string.h>

#include "fcgi/fill.h"
#include "fcgi/health.h"
#include "fcgi/param.h"
#include "fcgi/route.h"

/* clang-format off */
#define BOARD (PARAM_SET_BOARD | PARAM_BIT(PARAM_FORMAT))
#define RANK (PARAM_BIT(PARAM_BY) | PARAM_SET_RANGE | PARAM_SET_FILTER | \
	PARAM_BIT(PARAM_AROUND))
#define HISTORY (PARAM_BIT(PARAM_STEP) | PARAM_BIT(PARAM_FROM) | \
	PARAM_BIT(PARAM_TO))

#define SEARCH (PARAM_BIT(PARAM_Q) | PARAM_BIT(PARAM_LIMIT))
#define DAY_BOARD (PARAM_BIT(PARAM_DATE) | PARAM_BIT(PARAM_K))
#define EVENT_ID PARAM_BIT(PARAM_EVENT_ID)

/* A path with a suffix stands before the same path without one. */
static const struct route routes[] = {
	{ "/",             NULL,       ROUTE_ID_NONE,   PARAM_SET_BOARD, 0, ROUTE_BOARD,    true,  topk_fill_html },
	{ "/events/",      NULL,       ROUTE_ID_EVENT,  0,       0, ROUTE_DETAIL,   true,  event_fill_html },
	{ "/groups/",      NULL,       ROUTE_ID_NUMBER, 0,       0, ROUTE_DETAIL,   true,  group_fill_html },
	{ "/venues/",      NULL,       ROUTE_ID_NUMBER, 0,       0, ROUTE_DETAIL,   true,  venue_fill_html },
	{ "/search",       NULL,       ROUTE_ID_NONE,   PARAM_BIT(PARAM_Q), 0, ROUTE_DETAIL, true, search_fill_html },
	{ "/api/topk",     NULL,       ROUTE_ID_NONE,   BOARD,   0, ROUTE_BOARD,    false, topk_fill_api },
	{ "/api/events",   NULL,       ROUTE_ID_NONE,   SEARCH,  PARAM_BIT(PARAM_Q), ROUTE_DETAIL, false, search_fill },
	{ "/api/topics",   NULL,       ROUTE_ID_NONE,   0,       0, ROUTE_DETAIL,   false, topics_fill },
	{ "/api/cities",   NULL,       ROUTE_ID_NONE,   0,       0, ROUTE_DETAIL,   false, cities_fill },
	{ "/api/countries", NULL,      ROUTE_ID_NONE,   0,       0, ROUTE_DETAIL,   false, countries_fill },
	{ "/api/events/",  "/history", ROUTE_ID_EVENT,  HISTORY, 0, ROUTE_BOARD,    false, history_fill },
	{ "/api/events/",  "/rank",    ROUTE_ID_EVENT,  RANK,    0, ROUTE_BOARD,    false, rank_fill },
	{ "/api/events/",  NULL,       ROUTE_ID_EVENT,  0,       0, ROUTE_DETAIL,   false, event_fill_json },
	{ "/api/groups/",  NULL,       ROUTE_ID_NUMBER, 0,       0, ROUTE_DETAIL,   false, group_fill_json },
	{ "/api/venues/",  NULL,       ROUTE_ID_NUMBER, 0,       0, ROUTE_DETAIL,   false, venue_fill_json },
	{ "/api/members/", NULL,       ROUTE_ID_NUMBER, 0,       0, ROUTE_DETAIL,   false, member_fill_json },
	{ "/api/v1/events/topk", NULL, ROUTE_ID_NONE, DAY_BOARD, DAY_BOARD, ROUTE_BOARD, false, v1_topk_fill },
	{ "/api/v1/events/info", NULL, ROUTE_ID_NONE, EVENT_ID, EVENT_ID, ROUTE_DETAIL,  false, v1_info_fill },
	{ "/healthz",      NULL,       ROUTE_ID_NONE,   0,       0, ROUTE_UNCACHED, false, health_fill },
	{ "/readyz",       NULL,       ROUTE_ID_NONE,   0,       0, ROUTE_UNCACHED, false, ready_fill },
	{ "/status",       NULL,       ROUTE_ID_NONE,   0,       0, ROUTE_UNCACHED, true,  status_fill },
	{ "/metrics",      NULL,       ROUTE_ID_NONE,   0,       0, ROUTE_UNCACHED, false, metrics_fill },
};
/* clang-format on */

/* Does the path fit a route that takes an id?  It has one byte at least. */
static bool
fits(const struct route *r, const char *path, const char **id, size_t *id_len)
{
	size_t len = strlen(path), before = strlen(r->path);
	size_t behind = r->suffix == NULL ? 0 : strlen(r->suffix);

	if (len <= before + behind || strncmp(path, r->path, before) != 0)
		return false;
	if (behind > 0 && strcmp(path + len - behind, r->suffix) != 0)
		return false;
	*id = path + before;
	*id_len = len - before - behind;
	return true;
}

/*
 * The route of a path, with the id that stands in it, *id_len bytes, none
 * where the route takes none.  NULL: there is no such path.
 */
const struct route *
route_find(const char *path, const char **id, size_t *id_len)
{
	const struct route *r;

	for (r = routes; r < routes + NITEMS(routes); r++) {
		if (r->id != ROUTE_ID_NONE) {
			if (fits(r, path, id, id_len))
				return r;
		} else if (strcmp(path, r->path) == 0) {
			*id = "";
			*id_len = 0;
			return r;
		}
	}
	return NULL;
}
