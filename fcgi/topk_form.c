/*
 * The links and the form of a board's page; see topk_form.h.  Both say what
 * the API's parameters say, so that an address of the page is a question to
 * the API; only that a form sends a field that is empty, and the page takes
 * that as not given.
 */
#include "config.h"

#include <string.h>

#include "fcgi/html.h"
#include "fcgi/range.h"
#include "fcgi/range_html.h"
#include "fcgi/suggest.h"
#include "fcgi/topk_form.h"
#include "fcgi/topk_query.h"
#include "fcgi/words.h"
#include "lib/attr.h"
#include "lib/buf.h"

static const char *const windows[] = { "1h", "24h", "7d", "30d" };

static void
add_to_link(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "&amp;%s=", name);
	html_url_path(b, value);
}

/* Adds the address of a board, safe in an attribute: path, and the query with
 * another range where one is given. */
void
topk_link(struct buf *b, const char *path, const struct topk_query *query,
    const struct range *range)
{
	struct topk_query asked = *query;

	if (range != NULL)
		asked.range = *range;
	buf_addf(b, "%s?k=%d&amp;by=%s", path, asked.k, topk_by_name(asked.by));
	topk_query_each(b, &asked, add_to_link);
}

static void
add_window(
    struct buf *b, const struct topk_query *query, const struct range *range)
{
	const bool current = query->range.kind == range->kind &&
	    query->range.window_ms == range->window_ms;

	buf_adds(b, "<li><a href=\"");
	topk_link(b, "./", query, range);
	buf_addf(b, "\"%s>", current ? " aria-current=\"page\"" : "");
	range_html_short(b, range);
	buf_adds(b, "</a></li>\n");
}

/* Adds links to the same board of other windows. */
void
topk_windows(struct buf *b, const struct topk_query *query)
{
	struct range range = { .kind = RANGE_ALL };
	size_t i;

	buf_adds(b, "<nav class=\"windows\"");
	html_attr(b, "aria-label", word(W_RANGE));
	buf_adds(b, ">\n<ul>\n");
	for (i = 0; i < NITEMS(windows); i++) {
		range.kind = RANGE_SLIDING;
		if (range_window(&range, windows[i]) == 0)
			add_window(b, query, &range);
	}
	memset(&range, 0, sizeof(range));
	add_window(b, query, &range);
	buf_adds(b, "</ul>\n</nav>\n");
}

static void
begin_field(struct buf *b, const char *name, enum word label)
{
	buf_addf(b, "<p class=\"field\"><label for=\"%s\">%s</label>\n", name,
	    word(label));
}

static void
add_option(struct buf *b, const char *value, const char *text, bool chosen)
{
	buf_adds(b, "<option");
	html_attr(b, "value", value);
	buf_addf(b, "%s>%s</option>\n", chosen ? " selected" : "", text);
}

static void
add_hidden(struct buf *b, const char *name, const char *value)
{
	buf_adds(b, "<input type=\"hidden\"");
	html_attr(b, "name", name);
	html_attr(b, "value", value);
	buf_adds(b, ">\n");
}

/* What of a range the form does not show stays as it is; a filter is shown. */
static void
add_fixed(struct buf *b, const char *name, const char *value)
{
	if (strcmp(name, "date") == 0 || strcmp(name, "from") == 0 ||
	    strcmp(name, "to") == 0)
		add_hidden(b, name, value);
}

static void
add_by(struct buf *b, const struct topk_query *query)
{
	begin_field(b, "by", W_FORM_BY);
	buf_adds(b, "<select id=\"by\" name=\"by\">\n");
	add_option(b, topk_by_name(TOPK_BY_RSVPS), word(W_RSVPS),
	    query->by == TOPK_BY_RSVPS);
	add_option(b, topk_by_name(TOPK_BY_HEADCOUNT), word(W_PEOPLE),
	    query->by == TOPK_BY_HEADCOUNT);
	buf_adds(b, "</select></p>\n");
}

/* A range that is no window is said, and kept; the links above lead away from
 * it.  One that ends at a time must stay a window, or there were two ends. */
static void
add_range(struct buf *b, const struct range *range)
{
	struct range one = { .kind = RANGE_SLIDING };
	struct buf text = { 0 };
	bool listed = false, chosen;
	size_t i;

	if (range->kind == RANGE_DAY || range->kind == RANGE_FROM_TO) {
		buf_addf(b, "<p class=\"field\">%s ", word(W_RSVPS));
		range_html(b, range);
		buf_adds(b, "</p>\n");
		return;
	}
	begin_field(b, "window", W_FORM_WINDOW);
	buf_adds(b, "<select id=\"window\" name=\"window\">\n");
	if (range->kind != RANGE_WINDOW)
		add_option(b, "", word(W_SHORT_ALL), range->kind == RANGE_ALL);
	for (i = 0; i <= NITEMS(windows); i++) {
		if (i == NITEMS(windows) &&
		    (listed || range->window[0] == '\0'))
			break;
		if (range_window(&one,
			i < NITEMS(windows) ? windows[i] : range->window) == -1)
			break;
		chosen = strcmp(one.window, range->window) == 0;
		listed = listed || chosen;
		buf_clear(&text);
		range_html_length(&text, &one);
		add_option(b, one.window, buf_str(&text), chosen);
	}
	buf_adds(b, "</select>");
	if (range->kind == RANGE_WINDOW) {
		buf_clear(&text);
		html_time(&text, range->to_ms);
		buf_addc(b, ' ');
		words_add(b, W_FORM_UNTIL, buf_str(&text), NULL);
	}
	buf_adds(b, "</p>\n");
	buf_free(&text);
}

/* A field with what may stand in it, offered by a list. */
static void
add_text(struct buf *b, const char *name, enum word label, const char *value,
    const char *rules)
{
	begin_field(b, name, label);
	buf_addf(b, "<input id=\"%s\" name=\"%s\" %s", name, name, rules);
	html_attr(b, "placeholder", word(W_FORM_ANY));
	html_attr(b, "value", value);
	buf_adds(b, "></p>\n");
}

static void
add_suggestions(struct buf *b, const struct suggestions *all, const char *kind)
{
	const struct suggestion *one;
	size_t i;

	buf_addf(b, "<datalist id=\"%s-list\">\n", kind);
	for (i = 0; all != NULL && i < all->n; i++) {
		one = &all->all[i];
		if (strcmp(one->kind, kind) != 0)
			continue;
		buf_adds(b, "<option");
		html_attr(b, "value", one->value);
		buf_addc(b, '>');
		if (one->name != NULL) {
			html_text(b, one->name);
			buf_adds(b, ", ");
		}
		words_add_n(b, one->whole ? W_SUGGEST_ONE : W_SUGGEST_LEAST_ONE,
		    one->groups);
		buf_adds(b, "</option>\n");
	}
	buf_adds(b, "</datalist>\n");
}

static void
add_group(struct buf *b, const struct filter *f)
{
	struct buf group = { 0 };

	if (f->group_id != 0)
		buf_addf(&group, "%lld", (long long)f->group_id);
	else
		buf_adds(&group, f->group_urlname);
	add_text(
	    b, "group", W_FORM_GROUP, buf_str(&group), "maxlength=\"100\"");
	buf_free(&group);
}

static void
add_when(struct buf *b, enum topk_when when)
{
	static const enum word texts[] = { W_FORM_WHEN_ANY,
		W_FORM_WHEN_UPCOMING, W_FORM_WHEN_WEEK, W_FORM_WHEN_PAST };
	size_t i;

	begin_field(b, "when", W_FORM_WHEN);
	buf_adds(b, "<select id=\"when\" name=\"when\">\n");
	for (i = 0; i < NITEMS(texts); i++)
		add_option(b, topk_when_name((enum topk_when)i), word(texts[i]),
		    when == (enum topk_when)i);
	buf_adds(b, "</select></p>\n");
}

/* Is only the town or the time chosen, if anything? */
static bool
simple(const struct topk_query *query)
{
	const struct filter *f = &query->filter;

	return f->topic[0] == '\0' && f->group_id == 0 &&
	    f->group_urlname[0] == '\0' && query->by == TOPK_BY_RSVPS &&
	    query->k == TOPK_K_PRESET;
}

static bool
preset(const struct topk_query *query)
{
	return simple(query) && !filter_given(&query->filter) &&
	    query->range.kind == RANGE_ALL;
}

/* The choices that few people make; open when one was made. */
static void
add_more(struct buf *b, const struct topk_query *query)
{
	const struct filter *f = &query->filter;

	buf_addf(b,
	    "<details%s>\n<summary>%s</summary>\n<div class=\"fields\">\n",
	    simple(query) ? "" : " open", word(W_FORM_MORE));
	add_text(b, "topic", W_FORM_TOPIC, f->topic,
	    "list=\"topic-list\" maxlength=\"100\"");
	add_group(b, f);
	add_range(b, &query->range);
	add_by(b, query);
	begin_field(b, "k", W_FORM_K);
	buf_addf(b,
	    "<input id=\"k\" name=\"k\" type=\"number\" min=\"1\" max=\"%d\""
	    " required value=\"%d\"></p>\n</div>\n</details>\n",
	    TOPK_K_MAX, query->k);
}

/* Adds the form: where and when first, the rest to be opened. */
void
topk_form(struct buf *b, const struct topk_query *query)
{
	buf_adds(b, "<form class=\"query\" method=\"get\" action=\"./\"");
	html_attr(b, "aria-label", word(W_FORM_LABEL));
	buf_adds(b, ">\n<div class=\"fields town\">\n");
	add_text(b, "city", W_FORM_CITY, query->filter.city,
	    "list=\"city-list\" maxlength=\"100\"");
	add_text(b, "country", W_FORM_COUNTRY, query->filter.country,
	    "list=\"country-list\" maxlength=\"2\" pattern=\"[A-Za-z]{2}\"");
	add_when(b, query->filter.when);
	topk_query_each(b, query, add_fixed);
	buf_addf(b,
	    "<p class=\"send\"><button type=\"submit\">%s</button></p>\n"
	    "</div>\n",
	    word(W_FORM_SHOW));
	add_more(b, query);
	if (!preset(query))
		buf_addf(b, "<p class=\"reset\"><a href=\"./\">%s</a></p>\n",
		    word(W_FORM_RESET));
	buf_adds(b, "</form>\n");
}

/* Adds what the form suggests, the same for every board. */
void
topk_suggestions(struct buf *b, const struct suggestions *all)
{
	add_suggestions(b, all, "city");
	add_suggestions(b, all, "country");
	add_suggestions(b, all, "topic");
}
