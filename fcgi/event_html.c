/* An event as a page that needs no script. */
#include "config.h"

#include <inttypes.h>

#include "fcgi/event.h"
#include "fcgi/html.h"
#include "fcgi/json.h"
#include "lib/buf.h"

#define MAP_SITE "https://www.openstreetmap.org/"

static void
add_counts(struct buf *b, const struct details_event *ev)
{
	buf_addf(b,
	    "<dl class=\"counts\">\n"
	    "<div><dt>RSVPs</dt>\n<dd>%" PRId64 "</dd></div>\n"
	    "<div><dt>People</dt>\n<dd>%" PRId64 "</dd></div>\n</dl>\n",
	    ev->rsvps, ev->headcount);
}

/* The numbers of json_double() are fit for an address, too. */
static void
add_map(struct buf *b, const struct details_venue *v)
{
	buf_adds(b, "<dt>Map</dt>\n<dd class=\"map\"><a href=\"geo:");
	json_double(b, v->lat);
	buf_addc(b, ',');
	json_double(b, v->lon);
	buf_adds(b, "\">");
	json_double(b, v->lat);
	buf_adds(b, ", ");
	json_double(b, v->lon);
	buf_adds(
	    b, "</a>, <a rel=\"nofollow noopener\" href=\"" MAP_SITE "?mlat=");
	json_double(b, v->lat);
	buf_adds(b, "&amp;mlon=");
	json_double(b, v->lon);
	buf_adds(b, "#map=15/");
	json_double(b, v->lat);
	buf_addc(b, '/');
	json_double(b, v->lon);
	buf_adds(b, "\">OpenStreetMap</a></dd>\n");
}

static void
add_group(struct buf *b, const struct details_group *g)
{
	if (g->group_id == DETAILS_ABSENT)
		return;
	buf_adds(b, "<dt>Group</dt>\n<dd>");
	html_name(b, "span", g->name, "without a name");
	buf_adds(b, "</dd>\n<dt>Place</dt>\n<dd>");
	if (g->city == NULL && g->state == NULL && g->country == NULL)
		buf_adds(b, "not known");
	else
		details_html_place(b, g);
	buf_adds(b, "</dd>\n");
}

static void
add_details(struct buf *b, const struct details_event *ev)
{
	const struct details_venue *v = &ev->venue;

	buf_adds(b, "<dl class=\"details\">\n<dt>Starts</dt>\n<dd>");
	if (ev->starts_ms == DETAILS_ABSENT)
		buf_adds(b, "not known");
	else
		html_time(b, ev->starts_ms);
	buf_adds(b, "</dd>\n");
	add_group(b, &ev->group);
	if (v->venue_id != DETAILS_ABSENT) {
		buf_adds(b, "<dt>Venue</dt>\n<dd>");
		html_name(b, "span", v->name, "without a name");
		buf_adds(b, "</dd>\n");
		if (v->located)
			add_map(b, v);
	}
	if (ev->url != NULL && html_url_safe(ev->url)) {
		buf_adds(b,
		    "<dt>Its page</dt>\n<dd class=\"url\"><a"
		    " rel=\"nofollow noopener\"");
		html_attr(b, "href", ev->url);
		buf_addc(b, '>');
		html_name(b, "span", ev->url, "");
		buf_adds(b, "</a></dd>\n");
	}
	buf_adds(b, "<dt>Event id</dt>\n<dd>");
	html_name(b, "code", ev->event_id, ev->event_id);
	buf_adds(b, "</dd>\n</dl>\n");
}

/* Renders the page /events/{id}. */
void
event_html(struct response *out, const struct event *ev)
{
	const struct details_event *details = &ev->details;
	struct buf *b = &out->body;
	struct answer_gap gap;

	out->type = RESPONSE_HTML;
	html_page_begin(b,
	    details->name == NULL || details->name[0] == '\0'
		? details->event_id
		: details->name,
	    "../", false);
	buf_adds(b, "<article class=\"event\">\n<h1>");
	html_name(b, "span", details->name, details->event_id);
	buf_adds(b, "</h1>\n");
	out->mark_at = b->len;
	add_counts(b, details);
	add_details(b, details);
	buf_adds(b, "</article>\n");
	gap.from = b->len;
	answer_html(b, &ev->answer);
	gap.to = b->len;
	buf_adds(b,
	    "<p class=\"note\">RSVPs are people whose latest answer is"
	    " yes; People adds the guests they bring.</p>\n"
	    "<p class=\"links\"><a href=\"../\">To the board</a>, "
	    "<a href=\"../api/events/");
	html_url_path(b, details->event_id);
	buf_adds(b, "\">this event as JSON</a></p>\n");
	html_page_end(b);
	answer_finish(out, &ev->answer, &gap, 1);
}
