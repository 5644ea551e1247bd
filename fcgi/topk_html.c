/* A board as a page that needs no script. */
#include "config.h"

#include "fcgi/html.h"
#include "fcgi/range_html.h"
#include "fcgi/topk.h"
#include "fcgi/topk_form.h"
#include "fcgi/topk_notes.h"
#include "fcgi/words.h"
#include "lib/attr.h"
#include "lib/buf.h"

/* A sign for eyes, and words for those who hear the page. */
static void
add_sign(struct buf *b, const char *class, const char *sign, int64_t places,
    const char *words)
{
	buf_addf(b, "<span class=\"move %s\"><span aria-hidden=\"true\">%s",
	    class, sign);
	if (places > 0)
		html_number(b, places);
	buf_addf(b, "</span><span class=\"hidden\">, %s</span></span>", words);
}

static void
add_movement(struct buf *b, const struct topk_entry *entry)
{
	const int before = entry->previous_rank;
	const int up = before - entry->rank, down = -up;
	struct buf words = { 0 };

	if (before == 0) {
		add_sign(b, "new", word(W_NEW), 0, word(W_NEW_WORDS));
	} else if (up > 0) {
		words_add_n(&words, W_UP_ONE, up);
		add_sign(b, "up", "\xe2\x96\xb2", up, buf_str(&words));
	} else if (down > 0) {
		words_add_n(&words, W_DOWN_ONE, down);
		add_sign(b, "down", "\xe2\x96\xbc", down, buf_str(&words));
	} else {
		add_sign(b, "same", "=", 0, word(W_SAME));
	}
	buf_free(&words);
}

static void
add_group(struct buf *b, const struct details_group *g)
{
	buf_adds(b, "<td class=\"group\">");
	html_group_link(b, "", g);
	buf_adds(b, "</td>\n<td class=\"place\">");
	details_html_place(b, g);
	buf_adds(b, "</td>\n");
}

static void
add_plot(struct buf *b, const struct topk *t, const struct topk_entry *entry)
{
	if (t->query.k > TOPK_PLOTS_MAX)
		return;
	buf_adds(b, "<td class=\"plot\">");
	if (entry->plotted)
		plot_hours(b, entry->hours, t->hours_from_ms);
	else
		buf_adds(b, word(W_PLOT_TOO_MANY));
	buf_adds(b, "</td>\n");
}

static void
add_row(struct buf *b, const struct topk *t, const struct topk_entry *entry)
{
	const struct details_event *ev = &entry->event;

	buf_adds(b, "<tr");
	html_attr(b, "data-event", ev->event_id);
	buf_addf(b, ">\n<td class=\"rank\"><strong>%d</strong>", entry->rank);
	if (topk_moves(t))
		add_movement(b, entry);
	buf_adds(b, "</td>\n<th scope=\"row\" class=\"event\">");
	html_event_link(b, "", ev->event_id, ev->name);
	buf_adds(b, "</th>\n");
	add_group(b, &ev->group);
	buf_adds(b, "<td class=\"when\">");
	if (ev->starts_ms != DETAILS_ABSENT)
		html_time(b, ev->starts_ms);
	buf_adds(b, "</td>\n");
	html_count(b, ev->rsvps, word(W_RSVPS), t->query.by == TOPK_BY_RSVPS);
	html_count(
	    b, ev->headcount, word(W_PEOPLE), t->query.by == TOPK_BY_HEADCOUNT);
	add_plot(b, t, entry);
	buf_adds(b, "</tr>\n");
}

static void
add_caption(struct buf *b, const struct topk *t)
{
	const enum word one = t->query.by == TOPK_BY_RSVPS
	    ? W_CAPTION_RSVPS_ONE
	    : W_CAPTION_PEOPLE_ONE;
	const int64_t n = (int64_t)t->n;
	struct buf range = { 0 }, filter = { 0 };
	char number[WORDS_NUMBER_LEN];

	range_html(&range, &t->query.range);
	topk_filter_html(&filter, t);
	buf_adds(b, "<caption>");
	words_add(b, words_form(one, n), words_number(number, n),
	    buf_str(&range), buf_str(&filter), NULL);
	buf_adds(b, "</caption>\n");
	buf_free(&range);
	buf_free(&filter);
}

static void
add_table(struct buf *b, const struct topk *t)
{
	static const struct {
		const char *class;
		enum word w;
	} columns[] = {
		{ "rank", W_RANK },
		{ "event", W_EVENT },
		{ "group", W_GROUP },
		{ "place", W_PLACE },
		{ "when", W_STARTS },
		{ "count", W_RSVPS },
		{ "count", W_PEOPLE },
		{ "plot", W_DAY_PLOT },
	};
	const size_t shown = NITEMS(columns) - (t->query.k > TOPK_PLOTS_MAX);
	size_t i;

	buf_adds(b, "<table class=\"board\">\n");
	add_caption(b, t);
	buf_adds(b, "<thead>\n<tr>\n");
	for (i = 0; i < shown; i++)
		buf_addf(b, "<th scope=\"col\" class=\"%s\">%s</th>\n",
		    columns[i].class, word(columns[i].w));
	buf_adds(b, "</tr>\n</thead>\n<tbody>\n");
	for (i = 0; i < t->n; i++)
		add_row(b, t, &t->entries[i]);
	buf_adds(b, "</tbody>\n</table>\n");
}

/*
 * Where the script puts its button and says what it did.  The words are the
 * page's; without the script the place stays, so that nothing shifts.
 */
static void
add_live(struct buf *b)
{
	buf_adds(b, "<div class=\"live\" id=\"live\"");
	html_attr(b, "data-pause", word(W_LIVE_PAUSE));
	html_attr(b, "data-paused", word(W_LIVE_PAUSED));
	html_attr(b, "data-changed", word(W_LIVE_CHANGED));
	html_attr(b, "data-away", word(W_LIVE_AWAY));
	html_attr(b, "data-old", word(W_LIVE_OLD));
	buf_adds(b, "><p class=\"live-status\" role=\"status\"></p></div>\n");
}

/* Renders the page /. */
void
topk_html(struct response *out, const struct topk *t)
{
	const struct html_page page = {
		.title = word(W_BOARD_TITLE), .base = "", .script = true
	};
	struct buf *b = &out->body;
	struct answer_gap gaps[2];

	out->type = RESPONSE_HTML;
	html_page_begin(b, &page);
	buf_addf(b, "<h1>%s</h1>\n<p class=\"lead\">%s</p>\n", word(W_BOARD_H1),
	    word(W_BOARD_LEAD));
	topk_form(b, &t->query);
	buf_adds(b, "<div class=\"bar\">\n");
	topk_windows(b, &t->query);
	add_live(b);
	buf_adds(b, "</div>\n<div id=\"board\">\n");
	out->mark_at = b->len;
	if (t->n > 0)
		add_table(b, t);
	else
		topk_empty(b, t);
	gaps[0].from = b->len;
	answer_html(b, &t->answer);
	gaps[0].to = b->len;
	topk_notes(b, t);
	buf_adds(b, "</div>\n");
	gaps[1].from = b->len;
	topk_suggestions(b, t->suggested);
	gaps[1].to = b->len;
	html_page_end(b);
	answer_finish(out, &t->answer, gaps, 2);
}
