/* The board that is asked for; see topk_query.h. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/answer.h"
#include "fcgi/args.h"
#include "fcgi/json.h"
#include "fcgi/topk_query.h"
#include "lib/buf.h"
#include "lib/clock.h"

static const char *const by_names[] = {
	[TOPK_BY_RSVPS] = "rsvps",
	[TOPK_BY_HEADCOUNT] = "headcount",
};
static const char *const when_names[] = {
	[TOPK_WHEN_ANY] = "any",
	[TOPK_WHEN_UPCOMING] = "upcoming",
	[TOPK_WHEN_WEEK] = "week",
	[TOPK_WHEN_PAST] = "past",
};

/* The value of the parameter by. */
const char *
topk_by_name(enum topk_by by)
{
	return by_names[by];
}

/* The value of the parameter when. */
const char *
topk_when_name(enum topk_when when)
{
	return when_names[when];
}

/* Does it leave any event out? */
bool
filter_given(const struct filter *f)
{
	return f->country[0] != '\0' || f->city[0] != '\0' ||
	    f->group_id != 0 || f->group_urlname[0] != '\0' ||
	    f->topic[0] != '\0' || f->when != TOPK_WHEN_ANY;
}

static void
args_maybe(struct args *args, const char *text)
{
	args_text(args, text[0] == '\0' ? NULL : text);
}

/* Adds the parameters of TOPK_QUERY_RANGE_SQL and TOPK_QUERY_FILTER_SQL, and
 * as $1 the measure. */
void
topk_query_args(struct args *args, const struct topk_query *query)
{
	const struct range *range = &query->range;
	const struct filter *f = &query->filter;

	args_text(args, by_names[query->by]);
	if (range->kind == RANGE_ALL || range->kind == RANGE_SLIDING) {
		args_null(args);
		args_null(args);
	} else {
		args_number(args, range->from_ms);
		args_number(args, range->to_ms);
	}
	args_maybe(args, f->country);
	args_maybe(args, f->city);
	if (f->group_id == 0)
		args_null(args);
	else
		args_number(args, f->group_id);
	args_maybe(args, f->group_urlname);
	args_maybe(args, f->topic);
	args_text(args, f->when == TOPK_WHEN_ANY ? NULL : when_names[f->when]);
	if (range->kind == RANGE_SLIDING)
		args_number(args, range->window_ms);
	else
		args_null(args);
}

static void
each_of_range(struct buf *b, const struct range *range, topk_query_tell *tell)
{
	char iso[CLOCK_ISO_LEN];

	if (range->window[0] != '\0')
		tell(b, "window", range->window);
	if (range->kind == RANGE_DAY) {
		clock_iso(iso, range->from_ms);
		iso[10] = '\0'; /* the day only */
		tell(b, "date", iso);
	}
	if (range->kind == RANGE_FROM_TO)
		tell(b, "from", clock_iso(iso, range->from_ms));
	if (range->kind == RANGE_FROM_TO || range->kind == RANGE_WINDOW)
		tell(b, "to", clock_iso(iso, range->to_ms));
}

/* Tells each parameter of a filter that was given. */
void
filter_each(struct buf *b, const struct filter *f, topk_query_tell *tell)
{
	char id[24];

	snprintf(id, sizeof(id), "%" PRId64, f->group_id);
	if (f->country[0] != '\0')
		tell(b, "country", f->country);
	if (f->city[0] != '\0')
		tell(b, "city", f->city);
	if (f->group_id != 0)
		tell(b, "group", id);
	if (f->group_urlname[0] != '\0')
		tell(b, "group", f->group_urlname);
	if (f->topic[0] != '\0')
		tell(b, "topic", f->topic);
	if (f->when != TOPK_WHEN_ANY)
		tell(b, "when", when_names[f->when]);
}

/* Tells each parameter of range and filter that was given: with k and by they
 * ask for the same board again. */
void
topk_query_each(
    struct buf *b, const struct topk_query *query, topk_query_tell *tell)
{
	each_of_range(b, &query->range, tell);
	filter_each(b, &query->filter, tell);
}

static void
add_range(struct buf *b, const struct range *range)
{
	char iso[CLOCK_ISO_LEN];

	if (range->kind == RANGE_ALL)
		return;
	json_member(b, "from", clock_iso(iso, range->from_ms));
	json_member(b, "to", clock_iso(iso, range->to_ms));
}

/*
 * Adds the members of a query that is answered, so that from and to are set,
 * after those of its route and without braces.  Returns where a sliding
 * window's from and to stand; nothing for the others.
 */
struct answer_gap
topk_query_json(struct buf *b, const struct topk_query *query)
{
	const struct range *range = &query->range;
	struct answer_gap gap;
	char iso[CLOCK_ISO_LEN];

	buf_addf(b, "\"by\":\"%s\"", by_names[query->by]);
	if (range->window[0] != '\0')
		json_member(b, "window", range->window);
	if (range->kind == RANGE_DAY) {
		clock_iso(iso, range->from_ms);
		iso[10] = '\0'; /* the day only */
		json_member(b, "date", iso);
	}
	gap.from = b->len;
	add_range(b, range);
	gap.to = range->kind == RANGE_SLIDING ? b->len : gap.from;
	filter_each(b, &query->filter, json_member);
	return gap;
}

/* With its length, so that no text can be taken for the next member. */
static void
key_text(struct buf *key, const char *name, const char *value)
{
	if (value[0] != '\0')
		buf_addf(key, "|%s=%zu:%s", name, strlen(value), value);
}

static void
key_range(struct buf *key, const struct range *range)
{
	if (range->window[0] != '\0')
		buf_addf(key, "|window=%s", range->window);
	if (range->kind == RANGE_DAY)
		buf_adds(key, "|date");
	if (range->kind != RANGE_ALL && range->kind != RANGE_SLIDING)
		buf_addf(
		    key, "|%" PRId64 "-%" PRId64, range->from_ms, range->to_ms);
}

/*
 * Adds what tells one board from another, always in the same order.  A
 * sliding window is told by its length: now is no part of the question.
 */
void
topk_query_key(struct buf *key, const struct topk_query *query)
{
	const struct filter *f = &query->filter;

	buf_addf(key, "|k=%d|by=%s", query->k, by_names[query->by]);
	key_range(key, &query->range);
	key_text(key, "country", f->country);
	key_text(key, "city", f->city);
	if (f->group_id != 0)
		buf_addf(key, "|group=%" PRId64, f->group_id);
	key_text(key, "urlname", f->group_urlname);
	key_text(key, "topic", f->topic);
	if (f->when != TOPK_WHEN_ANY)
		buf_addf(key, "|when=%s", when_names[f->when]);
}
