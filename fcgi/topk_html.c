/* A board as a page that needs no script. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "fcgi/html.h"
#include "fcgi/topk.h"
#include "lib/buf.h"

static const char *
by_words(enum topk_by by)
{
	return by == TOPK_BY_RSVPS ? "RSVPs" : "people";
}

static void
add_option(struct buf *b, enum topk_by by, enum topk_by chosen)
{
	buf_addf(b, "<option value=\"%s\"%s>%s</option>\n", topk_by_name(by),
	    by == chosen ? " selected" : "", by_words(by));
}

/* What the form does not show stays as it is. */
static void
add_hidden(struct buf *b, const char *name, const char *value)
{
	buf_adds(b, "<input type=\"hidden\"");
	html_attr(b, "name", name);
	html_attr(b, "value", value);
	buf_adds(b, ">\n");
}

static void
add_to_link(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "&amp;%s=", name);
	html_url_path(b, value);
}

static void
add_form(struct buf *b, const struct topk_query *query)
{
	buf_addf(b,
	    "<form class=\"query\" method=\"get\" action=\"./\">\n"
	    "<label for=\"k\">Show the first</label>\n"
	    "<input id=\"k\" name=\"k\" type=\"number\" min=\"1\" max=\"%d\""
	    " required value=\"%d\">\n"
	    "<label for=\"by\">by</label>\n"
	    "<select id=\"by\" name=\"by\">\n",
	    TOPK_K_MAX, query->k);
	add_option(b, TOPK_BY_RSVPS, query->by);
	add_option(b, TOPK_BY_HEADCOUNT, query->by);
	buf_adds(b, "</select>\n");
	topk_query_each(b, query, add_hidden);
	buf_adds(b,
	    "<button type=\"submit\">Show</button>\n"
	    "</form>\n");
}

/* "." and ".." cannot stand in a path; such an event has no link. */
static bool
has_path(const char *event_id)
{
	return strcmp(event_id, ".") != 0 && strcmp(event_id, "..") != 0;
}

static void
add_row(struct buf *b, const struct topk_entry *entry)
{
	const struct details_event *ev = &entry->event;
	bool link = has_path(ev->event_id);

	buf_adds(b, "<tr");
	html_attr(b, "data-event", ev->event_id);
	buf_addf(b,
	    ">\n<td class=\"rank\">%d</td>\n"
	    "<th scope=\"row\" class=\"event\">",
	    entry->rank);
	if (link) {
		buf_adds(b, "<a href=\"events/");
		html_url_path(b, ev->event_id);
		buf_adds(b, "\">");
	}
	html_name(b, "span", ev->name, ev->event_id);
	buf_adds(b, link ? "</a></th>\n" : "</th>\n");
	buf_addf(b,
	    "<td class=\"count\">%" PRId64 "</td>\n"
	    "<td class=\"count\">%" PRId64 "</td>\n<td class=\"group\">",
	    ev->rsvps, ev->headcount);
	if (ev->group.group_id != DETAILS_ABSENT)
		html_name(b, "span", ev->group.name, "without a name");
	buf_adds(b, "</td>\n<td class=\"place\">");
	details_html_place(b, &ev->group);
	buf_adds(b, "</td>\n<td class=\"when\">");
	if (ev->starts_ms != DETAILS_ABSENT)
		html_time(b, ev->starts_ms);
	buf_adds(b, "</td>\n</tr>\n");
}

/* The RSVPs that count; a window that slides has no times that would change
 * by themselves. */
static void
add_range(struct buf *b, const struct range *range)
{
	switch (range->kind) {
	case RANGE_ALL:
		buf_adds(b, "all time");
		break;
	case RANGE_SLIDING:
		buf_addf(b, "of the last %s", range->window);
		break;
	case RANGE_WINDOW:
	case RANGE_DAY:
	case RANGE_FROM_TO:
		buf_adds(b, "from ");
		html_time(b, range->from_ms);
		buf_adds(b, " to ");
		html_time(b, range->to_ms);
		break;
	}
}

static void
add_filter(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, ", %s ", name);
	html_name(b, "span", value, "");
}

static void
add_table(struct buf *b, const struct topk *t)
{
	size_t i;

	buf_addf(b,
	    "<div class=\"scroll\">\n<table class=\"board\">\n"
	    "<caption>The %zu %s with the most %s, ",
	    t->n, t->n == 1 ? "event" : "events", by_words(t->query.by));
	add_range(b, &t->query.range);
	filter_each(b, &t->query.filter, add_filter);
	buf_adds(b,
	    "</caption>\n"
	    "<thead>\n<tr>\n"
	    "<th scope=\"col\" class=\"rank\">Rank</th>\n"
	    "<th scope=\"col\" class=\"event\">Event</th>\n"
	    "<th scope=\"col\" class=\"count\">RSVPs</th>\n"
	    "<th scope=\"col\" class=\"count\">People</th>\n"
	    "<th scope=\"col\" class=\"group\">Group</th>\n"
	    "<th scope=\"col\" class=\"place\">Place</th>\n"
	    "<th scope=\"col\" class=\"when\">Starts</th>\n"
	    "</tr>\n</thead>\n<tbody>\n");
	for (i = 0; i < t->n; i++)
		add_row(b, &t->entries[i]);
	buf_adds(b, "</tbody>\n</table>\n</div>\n");
}

static void
add_empty(struct buf *b, const struct topk_query *query)
{
	if (query->range.kind == RANGE_ALL && !filter_given(&query->filter)) {
		buf_adds(b,
		    "<p class=\"empty\">No event has a yes yet: not"
		    " one RSVP is counted.</p>\n");
		return;
	}
	buf_adds(b, "<p class=\"empty\">No event has a yes, ");
	add_range(b, &query->range);
	filter_each(b, &query->filter, add_filter);
	buf_adds(b, ".</p>\n");
}

static void
add_notes(struct buf *b, const struct topk *t)
{
	if (t->tie_at_cutoff)
		buf_addf(b,
		    "<p class=\"tie\">At least one more event has as"
		    " many %s as the last one shown.</p>\n",
		    by_words(t->query.by));
	buf_addf(b,
	    "<p class=\"note\">RSVPs are people whose latest answer is"
	    " yes; the column People adds the guests they bring. An answer that"
	    " is changed counts as it stands now. Equal counts share a rank and"
	    " are listed by event id.</p>\n"
	    "<p class=\"links\"><a href=\"api/topk?k=%d&amp;by=%s",
	    t->query.k, topk_by_name(t->query.by));
	topk_query_each(b, &t->query, add_to_link);
	buf_adds(b, "\">This board as JSON</a></p>\n");
}

/*
 * Where the script puts its button and says what it did.  The words are the
 * page's; without the script the place stays, so that nothing shifts.
 */
static void
add_live(struct buf *b)
{
	buf_adds(b,
	    "<div class=\"live\" id=\"live\" data-pause=\"Pause updates\""
	    " data-resume=\"Resume updates\" data-updated=\"Updated\""
	    " data-failed=\"The last update failed\">"
	    "<p class=\"live-status\" role=\"status\"></p></div>\n");
}

/* Renders the page /. */
void
topk_html(struct response *out, const struct topk *t)
{
	struct buf *b = &out->body;
	struct answer_gap gap;

	out->type = RESPONSE_HTML;
	html_page_begin(b, "Turnout: top events", "", true);
	buf_adds(b, "<h1>Top events</h1>\n");
	add_form(b, &t->query);
	add_live(b);
	buf_adds(b, "<div id=\"board\">\n");
	out->mark_at = b->len;
	if (t->n > 0)
		add_table(b, t);
	else
		add_empty(b, &t->query);
	gap.from = b->len;
	answer_html(b, &t->answer);
	gap.to = b->len;
	add_notes(b, t);
	buf_adds(b, "</div>\n");
	html_page_end(b);
	answer_finish(out, &t->answer, &gap, 1);
}
