/* A group or a venue as a page that needs no script. */
#include "config.h"

#include <inttypes.h>

#include "fcgi/html.h"
#include "fcgi/thing_page.h"
#include "fcgi/words.h"
#include "lib/buf.h"

static void
add_details(struct buf *b, const struct thing *t)
{
	const struct details_group place = {
		.city = t->city, .state = t->state, .country = t->country
	};

	buf_adds(b, "<dl class=\"details\">\n");
	if (t->kind == THING_GROUP) {
		buf_addf(b, "<dt>%s</dt>\n<dd>", word(W_PLACE));
		if (t->city == NULL && t->state == NULL && t->country == NULL)
			buf_adds(b, word(W_UNKNOWN));
		else
			details_html_place(b, &place);
		buf_adds(b, "</dd>\n");
	}
	if (t->located)
		html_map(b, t->lat, t->lon);
	else
		buf_addf(b, "<dt>%s</dt>\n<dd>%s</dd>\n", word(W_MAP),
		    word(W_UNKNOWN));
	buf_adds(b, "</dl>\n");
}

static void
add_links(struct buf *b, const struct thing *t)
{
	const bool group = t->kind == THING_GROUP;

	buf_addf(
	    b, "<p class=\"links\"><a href=\"../\">%s</a>, ", word(W_TO_BOARD));
	if (group)
		buf_addf(b, "<a href=\"../?group=%" PRId64 "\">%s</a>, ", t->id,
		    word(W_GROUP_BOARD));
	buf_addf(b, "<a href=\"../api/%s/%" PRId64 "\">%s</a></p>\n",
	    group ? "groups" : "venues", t->id,
	    word(group ? W_GROUP_JSON : W_VENUE_JSON));
}

/* Renders the pages /groups/{id} and /venues/{id}. */
void
thing_html(struct response *out, const struct thing_page *p)
{
	const struct thing *t = &p->thing;
	const bool group = t->kind == THING_GROUP;
	const struct html_page page = { .base = "../",
		.title = html_blank(t->name) ? word(W_UNNAMED) : t->name };
	struct buf *b = &out->body;
	struct answer_gap gap;

	out->type = RESPONSE_HTML;
	html_page_begin(b, &page);
	buf_addf(b, "<p class=\"kind\">%s</p>\n<h1>",
	    word(group ? W_GROUP_KIND : W_VENUE_KIND));
	html_name(b, "span", t->name, word(W_UNNAMED));
	buf_adds(b, "</h1>\n");
	out->mark_at = b->len;
	add_details(b, t);
	buf_addf(b, "<h2>%s</h2>\n", word(W_ON));
	on_html(b, &p->on, !group);
	if (!on_any(&p->on))
		buf_addf(b, "<p class=\"empty\">%s</p>\n", word(W_NOTHING_ON));
	gap.from = b->len;
	answer_html(b, &t->answer);
	gap.to = b->len;
	buf_addf(b, "<p class=\"note\">%s</p>\n", word(W_EVENT_HOW));
	add_links(b, t);
	html_page_end(b);
	answer_finish(out, &t->answer, &gap, 1);
}
