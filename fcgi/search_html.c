/* What was found, as a page that needs no script. */
#include "config.h"

#include "fcgi/html.h"
#include "fcgi/search.h"
#include "fcgi/words.h"
#include "lib/buf.h"

static void
add_row(struct buf *b, const struct details_event *ev)
{
	buf_adds(b, "<tr>\n<th scope=\"row\">");
	html_event_link(b, "", ev->event_id, ev->name);
	buf_adds(b, "</th>\n<td>");
	html_group_link(b, "", &ev->group);
	buf_adds(b, "</td>\n<td>");
	details_html_place(b, &ev->group);
	buf_adds(b, "</td>\n<td class=\"when\">");
	if (ev->starts_ms != DETAILS_ABSENT)
		html_time(b, ev->starts_ms);
	buf_adds(b, "</td>\n");
	html_count(b, ev->rsvps, word(W_RSVPS), true);
	buf_adds(b, "</tr>\n");
}

static void
add_found(struct buf *b, const struct search *s)
{
	const int64_t n = (int64_t)s->n;
	struct buf words = { 0 };
	char number[WORDS_NUMBER_LEN];
	enum word w = n == 0	     ? W_SEARCH_NONE
	    : n == (int64_t)s->limit ? W_SEARCH_CUT
				     : words_form(W_SEARCH_ONE, n);
	size_t i;

	html_name(&words, "span", s->words, "");
	buf_adds(b, n == 0 ? "<p class=\"empty\">" : "<p class=\"lead\">");
	if (n == 0)
		words_add(b, w, buf_str(&words), NULL);
	else
		words_add(b, w, words_number(number, n), buf_str(&words), NULL);
	buf_adds(b, "</p>\n");
	buf_free(&words);
	if (n == 0)
		return;
	buf_addf(b,
	    "<table class=\"list\">\n<thead>\n<tr>\n<th scope=\"col\">%s</th>\n"
	    "<th scope=\"col\">%s</th>\n<th scope=\"col\">%s</th>\n"
	    "<th scope=\"col\">%s</th>\n<th scope=\"col\" class=\"count\">%s"
	    "</th>\n</tr>\n</thead>\n<tbody>\n",
	    word(W_EVENT), word(W_GROUP), word(W_PLACE), word(W_STARTS),
	    word(W_RSVPS));
	for (i = 0; i < s->n; i++)
		add_row(b, &s->events[i]);
	buf_adds(b, "</tbody>\n</table>\n");
}

/* Renders the page /search; without words it says what they may be. */
void
search_html(struct response *out, const struct search *s)
{
	const struct html_page page = {
		.title = word(W_SEARCH_TITLE), .base = "", .q = s->words
	};
	struct buf *b = &out->body;
	struct answer_gap gap;

	out->type = RESPONSE_HTML;
	html_page_begin(b, &page);
	buf_addf(b, "<h1>%s</h1>\n", word(W_SEARCH_TITLE));
	out->mark_at = b->len;
	if (s->words[0] == '\0')
		buf_addf(
		    b, "<p class=\"empty\">%s</p>\n", word(W_SEARCH_EMPTY));
	else
		add_found(b, s);
	gap.from = b->len;
	answer_html(b, &s->answer);
	gap.to = b->len;
	buf_addf(
	    b, "<p class=\"links\"><a href=\"./\">%s</a>", word(W_TO_BOARD));
	if (s->words[0] != '\0') {
		buf_adds(b, ", <a href=\"api/events?q=");
		html_url_path(b, s->words);
		buf_addf(b, "\">%s</a>", word(W_SEARCH_JSON));
	}
	buf_adds(b, "</p>\n");
	html_page_end(b);
	answer_finish(out, &s->answer, &gap, 1);
}
