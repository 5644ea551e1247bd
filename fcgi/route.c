/* The table of what Turnout serves; see route.h. */
#include "config.h"

#include <string.h>

#include "fcgi/fill.h"
#include "fcgi/health.h"
#include "fcgi/param.h"
#include "fcgi/route.h"

/* clang-format off */
#define K_BY (PARAM_BIT(PARAM_K) | PARAM_BIT(PARAM_BY))
#define BOARD (PARAM_SET_BOARD | PARAM_BIT(PARAM_FORMAT))

static const struct route routes[] = {
	{ "/",             ROUTE_ID_NONE,   K_BY,  0, ROUTE_BOARD,    true,  topk_fill_html },
	{ "/events/",      ROUTE_ID_EVENT,  0,     0, ROUTE_DETAIL,   true,  event_fill_html },
	{ "/api/topk",     ROUTE_ID_NONE,   BOARD, 0, ROUTE_BOARD,    false, topk_fill_api },
	{ "/api/events/",  ROUTE_ID_EVENT,  0,     0, ROUTE_DETAIL,   false, event_fill_json },
	{ "/api/groups/",  ROUTE_ID_NUMBER, 0,     0, ROUTE_DETAIL,   false, group_fill_json },
	{ "/api/venues/",  ROUTE_ID_NUMBER, 0,     0, ROUTE_DETAIL,   false, venue_fill_json },
	{ "/api/members/", ROUTE_ID_NUMBER, 0,     0, ROUTE_DETAIL,   false, member_fill_json },
	{ "/healthz",      ROUTE_ID_NONE,   0,     0, ROUTE_UNCACHED, false, health_fill },
	{ "/readyz",       ROUTE_ID_NONE,   0,     0, ROUTE_UNCACHED, false, ready_fill },
	{ "/metrics",      ROUTE_ID_NONE,   0,     0, ROUTE_UNCACHED, false, metrics_fill },
};
/* clang-format on */

/*
 * The route of a path, *rest set to what follows where the route takes an id
 * (never empty), else to "".  NULL: there is no such path.
 */
const struct route *
route_find(const char *path, const char **rest)
{
	const struct route *r;
	size_t len;

	for (r = routes; r < routes + NITEMS(routes); r++) {
		len = strlen(r->path);
		if (r->id == ROUTE_ID_NONE) {
			if (strcmp(path, r->path) != 0)
				continue;
			*rest = "";
			return r;
		}
		if (strncmp(path, r->path, len) == 0 && path[len] != '\0') {
			*rest = path + len;
			return r;
		}
	}
	return NULL;
}
