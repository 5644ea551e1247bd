/* An event as a page that needs no script. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "fcgi/event_page.h"
#include "fcgi/html.h"
#include "fcgi/words.h"
#include "lib/buf.h"

static void
add_counts(struct buf *b, const struct details_event *ev)
{
	buf_addf(
	    b, "<dl class=\"counts\">\n<div><dt>%s</dt>\n<dd>", word(W_RSVPS));
	html_number(b, ev->rsvps);
	buf_addf(b, "</dd></div>\n<div><dt>%s</dt>\n<dd>", word(W_PEOPLE));
	html_number(b, ev->headcount);
	buf_adds(b, "</dd></div>\n</dl>\n");
}

static void
add_group(struct buf *b, const struct details_group *g)
{
	if (g->group_id == DETAILS_ABSENT)
		return;
	buf_addf(b, "<dt>%s</dt>\n<dd>", word(W_GROUP));
	html_group_link(b, "../", g);
	buf_addf(b, "</dd>\n<dt>%s</dt>\n<dd>", word(W_PLACE));
	if (g->city == NULL && g->state == NULL && g->country == NULL)
		buf_adds(b, word(W_UNKNOWN));
	else
		details_html_place(b, g);
	buf_adds(b, "</dd>\n");
}

static void
add_venue(struct buf *b, const struct details_venue *v)
{
	if (v->venue_id == DETAILS_ABSENT)
		return;
	buf_addf(b, "<dt>%s</dt>\n<dd><a href=\"../venues/%" PRId64 "\">",
	    word(W_VENUE), v->venue_id);
	html_name(b, "span", v->name, word(W_UNNAMED));
	buf_adds(b, "</a></dd>\n");
	if (v->located)
		html_map(b, v->lat, v->lon);
}

static void
add_details(struct buf *b, const struct details_event *ev)
{
	buf_addf(
	    b, "<dl class=\"details\">\n<dt>%s</dt>\n<dd>", word(W_STARTS));
	if (ev->starts_ms == DETAILS_ABSENT)
		buf_adds(b, word(W_UNKNOWN));
	else
		html_time(b, ev->starts_ms);
	buf_adds(b, "</dd>\n");
	add_group(b, &ev->group);
	add_venue(b, &ev->venue);
	if (ev->url != NULL && html_url_safe(ev->url)) {
		buf_addf(b,
		    "<dt>%s</dt>\n<dd class=\"url\"><a"
		    " rel=\"nofollow noopener\"",
		    word(W_ITS_PAGE));
		html_attr(b, "href", ev->url);
		buf_addc(b, '>');
		html_name(b, "span", ev->url, "");
		buf_adds(b, "</a></dd>\n");
	}
	buf_addf(b, "<dt>%s</dt>\n<dd>", word(W_EVENT_ID));
	html_name(b, "code", ev->event_id, ev->event_id);
	buf_adds(b, "</dd>\n</dl>\n");
}

static void
add_others(struct buf *b, const struct event_page *p)
{
	buf_addf(b, "<h2>%s</h2>\n", word(W_OTHERS));
	if (on_any(&p->others))
		on_html(b, &p->others, false);
	else
		buf_addf(b, "<p class=\"note\">%s</p>\n", word(W_OTHERS_NONE));
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && strcmp(text + len - n, end) == 0;
}

/* The API has more below an event: an id may look like that. */
static void
add_links(struct buf *b, const struct details_event *ev)
{
	const char *id = ev->event_id;

	buf_addf(b,
	    "<p class=\"note\">%s</p>\n<p class=\"links\"><a href=\"../\">%s"
	    "</a>",
	    word(W_EVENT_HOW), word(W_TO_BOARD));
	if (html_fits_path(id) && !ends_with(id, "/rank") &&
	    !ends_with(id, "/history")) {
		buf_adds(b, ", <a href=\"../api/events/");
		html_url_path(b, id);
		buf_addf(b, "\">%s</a>", word(W_EVENT_JSON));
	}
	buf_adds(b, "</p>\n");
}

/* Renders the page /events/{id}. */
void
event_page_html(struct response *out, const struct event_page *p)
{
	const struct details_event *ev = &p->event.details;
	const struct html_page page = { .base = "../",
		.title = html_blank(ev->name) ? ev->event_id : ev->name };
	struct buf *b = &out->body;
	struct answer_gap gap;

	out->type = RESPONSE_HTML;
	html_page_begin(b, &page);
	buf_adds(b, "<article class=\"event\">\n<h1>");
	html_name(b, "span", ev->name, ev->event_id);
	buf_adds(b, "</h1>\n");
	out->mark_at = b->len;
	add_counts(b, ev);
	add_details(b, ev);
	event_history_html(b, p);
	event_ranks_html(b, p);
	buf_adds(b, "</article>\n");
	add_others(b, p);
	gap.from = b->len;
	answer_html(b, &p->event.answer);
	gap.to = b->len;
	add_links(b, ev);
	html_page_end(b);
	answer_finish(out, &p->event.answer, &gap, 1);
}
