/* What is on with a group or at a venue; see on.h. */
#include "config.h"

#include <stdlib.h>

#include "fcgi/html.h"
#include "fcgi/on.h"
#include "fcgi/words.h"
#include "lib/attr.h"
#include "lib/buf.h"

/* Reads a row of turnout.events_on(): its part, and after it the columns of
 * an event.  One more than at_most only tells that there are more. */
void
on_add_row(struct on *on, size_t at_most, const PGresult *res, int row,
    int part_column)
{
	const char *part = details_text(res, row, part_column);
	size_t i = part == NULL ? ON_PARTS : (size_t)strtol(part, NULL, 10);

	if (i >= ON_PARTS)
		return;
	if (on->parts[i].n >= at_most || on->parts[i].n >= ON_MAX) {
		on->parts[i].cut = true;
		return;
	}
	details_from_row(
	    &on->parts[i].events[on->parts[i].n++], res, row, part_column + 1);
}

bool
on_any(const struct on *on)
{
	size_t i;

	for (i = 0; i < ON_PARTS; i++)
		if (on->parts[i].n > 0)
			return true;
	return false;
}

static void
add_row(struct buf *b, const struct details_event *ev, bool places)
{
	buf_adds(b, "<tr>\n<th scope=\"row\">");
	html_event_link(b, "../", ev->event_id, ev->name);
	buf_adds(b, "</th>\n");
	if (places) {
		buf_adds(b, "<td>");
		html_group_link(b, "../", &ev->group);
		buf_adds(b, "</td>\n");
	}
	buf_adds(b, "<td class=\"when\">");
	if (ev->starts_ms != DETAILS_ABSENT)
		html_time(b, ev->starts_ms);
	buf_adds(b, "</td>\n");
	html_count(b, ev->rsvps, word(W_RSVPS), false);
	html_count(b, ev->headcount, word(W_PEOPLE), false);
	buf_adds(b, "</tr>\n");
}

/* Adds a table a part that has events; places: each with its group. */
void
on_html(struct buf *b, const struct on *on, bool places)
{
	static const enum word captions[] = { W_UPCOMING, W_RECENT, W_UNDATED };
	char number[WORDS_NUMBER_LEN];
	size_t part, i;

	for (part = 0; part < ON_PARTS; part++) {
		if (on->parts[part].n == 0)
			continue;
		buf_addf(b,
		    "<table class=\"list\">\n<caption>%s</caption>\n"
		    "<thead>\n<tr>\n<th scope=\"col\">%s</th>\n",
		    word(captions[part]), word(W_EVENT));
		if (places)
			buf_addf(
			    b, "<th scope=\"col\">%s</th>\n", word(W_GROUP));
		buf_addf(b,
		    "<th scope=\"col\">%s</th>\n<th scope=\"col\""
		    " class=\"count\">%s</th>\n<th scope=\"col\""
		    " class=\"count\">%s</th>\n</tr>\n</thead>\n<tbody>\n",
		    word(W_STARTS), word(W_RSVPS), word(W_PEOPLE));
		for (i = 0; i < on->parts[part].n; i++)
			add_row(b, &on->parts[part].events[i], places);
		buf_adds(b, "</tbody>\n</table>\n");
		if (!on->parts[part].cut)
			continue;
		buf_adds(b, "<p class=\"note\">");
		words_add(b, W_PART_CUT,
		    words_number(number, (int64_t)on->parts[part].n), NULL);
		buf_adds(b, "</p>\n");
	}
}
