/* Links to what the pages are about; see html.h. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "fcgi/details.h"
#include "fcgi/html.h"
#include "fcgi/json.h"
#include "fcgi/words.h"
#include "lib/buf.h"

#define MAP_SITE "https://www.openstreetmap.org/"

/*
 * Does an id stand in a path as it is?  A server takes "." and ".." between
 * slashes, also encoded ones, for steps, and two slashes for one.
 */
bool
html_fits_path(const char *id)
{
	size_t n;

	for (;; id += n + 1) {
		n = strcspn(id, "/");
		if (n == 0 ? *id == '/' : n <= 2 && strspn(id, ".") >= n)
			return false;
		if (id[n] == '\0')
			return true;
	}
}

/*
 * Adds the name of an event as a link to its page; an id that does not stand
 * in a path has no link.
 */
void
html_event_link(
    struct buf *b, const char *base, const char *event_id, const char *name)
{
	const bool link = html_fits_path(event_id);

	if (link) {
		buf_adds(b, "<a href=\"");
		html_text(b, base);
		buf_adds(b, "events/");
		html_url_path(b, event_id);
		buf_adds(b, "\">");
	}
	html_name(b, "span", name, event_id);
	if (link)
		buf_adds(b, "</a>");
}

/* Adds the name of a group as a link to its page; nothing without a group. */
void
html_group_link(struct buf *b, const char *base, const struct details_group *g)
{
	if (g->group_id == DETAILS_ABSENT)
		return;
	buf_addf(b, "<a href=\"%sgroups/%" PRId64 "\">", base, g->group_id);
	html_name(b, "span", g->name, word(W_UNNAMED));
	buf_adds(b, "</a>");
}

static void
add_point(struct buf *b, double lat, const char *between, double lon)
{
	/* The numbers of json_double() are fit for an address, too. */
	json_double(b, lat);
	buf_adds(b, between);
	json_double(b, lon);
}

/* Adds where a place is as an entry of a list of details. */
void
html_map(struct buf *b, double lat, double lon)
{
	buf_addf(
	    b, "<dt>%s</dt>\n<dd class=\"map\"><a href=\"geo:", word(W_MAP));
	add_point(b, lat, ",", lon);
	buf_adds(b, "\">");
	add_point(b, lat, ", ", lon);
	buf_adds(
	    b, "</a>, <a rel=\"nofollow noopener\" href=\"" MAP_SITE "?mlat=");
	add_point(b, lat, "&amp;mlon=", lon);
	buf_adds(b, "#map=15/");
	add_point(b, lat, "/", lon);
	buf_addf(b, "\">%s</a></dd>\n", word(W_MAP_SITE));
}
