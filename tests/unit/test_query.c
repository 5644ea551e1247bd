/* What a query string may say of a board: range, filters, format. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/param.h"
#include "fcgi/query.h"
#include "fcgi/request.h"
#include "lib/buf.h"
#include "lib/clock.h"

static int
parse_of(
    struct request *r, const char *path, const char *query, struct problem *p)
{
	const struct request_env env = {
		.method = "GET", .document_uri = path, .query = query
	};

	return request_parse(r, &env, p);
}

static int
parse(struct request *r, const char *query, struct problem *p)
{
	return parse_of(r, "/api/topk", query, p);
}

/* A board's query that is refused for a parameter, and says what it may be. */
static void
refused(const char *query, const char *param, struct problem *p)
{
	struct request r;

	if (parse(&r, query, p) == 0)
		fail_msg("\"%s\" is taken", query);
	assert_int_equal(p->status, 400);
	if (strcmp(p->param, param) != 0)
		fail_msg("\"%s\" names \"%s\"", query, p->param);
	assert_true(p->allowed[0] != '\0');
}

static int64_t
ms_of(const char *time)
{
	int64_t ms = 0;

	if (time != NULL && clock_parse_time(&ms, time) == -1)
		fail_msg("%s is no time", time);
	return ms;
}

static void
a_range_is_said_in_one_way(void **state)
{
	/* clang-format off */
	static const struct {
		const char *query;
		enum range_kind kind;
		int64_t window_ms;
		const char *from, *to;
	} cases[] = {
		{ "", RANGE_ALL, 0, NULL, NULL },
		{ "window=1m", RANGE_SLIDING, 60000, NULL, NULL },
		{ "window=90m", RANGE_SLIDING, 5400000, NULL, NULL },
		{ "window=24h", RANGE_SLIDING, 86400000, NULL, NULL },
		{ "window=7d", RANGE_SLIDING, 604800000, NULL, NULL },
		{ "window=400d", RANGE_SLIDING, INT64_C(34560000000), NULL, NULL },
		{ "window=9600h", RANGE_SLIDING, INT64_C(34560000000), NULL, NULL },
		{ "window=576000m", RANGE_SLIDING, INT64_C(34560000000), NULL, NULL },
		{ "window=1d&to=2017-03-19T12:30:00Z", RANGE_WINDOW, 86400000, "2017-03-18T12:30:00Z", "2017-03-19T12:30:00Z" },
		{ "to=1970-01-02T00:00:00Z&window=1d", RANGE_WINDOW, 86400000, "1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z" },
		{ "date=2017-03-19", RANGE_DAY, 0, "2017-03-19T00:00:00Z", "2017-03-20T00:00:00Z" },
		{ "date=9999-12-30", RANGE_DAY, 0, "9999-12-30T00:00:00Z", "9999-12-31T00:00:00Z" },
		{ "from=2017-03-18T12:30:00.001Z&to=2017-03-18T12:30:00.002Z", RANGE_FROM_TO, 0, "2017-03-18T12:30:00.001Z", "2017-03-18T12:30:00.002Z" },
		{ "to=2017-03-18T13:30:00%2B01:00&from=2017-03-17T00:00:00Z", RANGE_FROM_TO, 0, "2017-03-17T00:00:00Z", "2017-03-18T12:30:00Z" },
	};
	/* clang-format on */
	const struct range *range;
	struct problem p;
	struct request r;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		if (parse(&r, cases[i].query, &p) == -1)
			fail_msg("%s: %s", cases[i].query, p.detail);
		range = &r.topk.range;
		if (range->kind != cases[i].kind ||
		    range->window_ms != cases[i].window_ms ||
		    range->from_ms != ms_of(cases[i].from) ||
		    range->to_ms != ms_of(cases[i].to))
			fail_msg("%s: kind %d, %jd - %jd", cases[i].query,
			    range->kind, (intmax_t)range->from_ms,
			    (intmax_t)range->to_ms);
	}
}

#define DAY_19 "2017-03-19T00:00:00Z"
#define DAY_20 "2017-03-20T00:00:00Z"

static void
a_range_that_is_none_is_refused_by_name(void **state)
{
	/* The second name, where there is one, stands in the sentence. */
	/* clang-format off */
	static const struct { const char *query, *param, *other; } cases[] = {
		{ "window=", "window", NULL }, { "window=h", "window", NULL },
		{ "window=24", "window", NULL }, { "window=0h", "window", NULL },
		{ "window=024h", "window", NULL }, { "window=-1h", "window", NULL },
		{ "window=%2B1h", "window", NULL }, { "window=1.5h", "window", NULL },
		{ "window=24H", "window", NULL }, { "window=1s", "window", NULL },
		{ "window=1w", "window", NULL }, { "window=1h30m", "window", NULL },
		{ "window=24h ", "window", NULL }, { "window= 24h", "window", NULL },
		{ "window=401d", "window", NULL }, { "window=9601h", "window", NULL },
		{ "window=576001m", "window", NULL }, { "window=9999999d", "window", NULL },
		{ "window=99999999999999999999h", "window", NULL },
		{ "window=PT24H", "window", NULL }, { "window=all", "window", NULL },
		{ "date=2017-02-29", "date", NULL }, { "date=today", "date", NULL },
		{ "date=9999-12-31", "date", NULL },
		{ "date=2017-3-1", "date", NULL }, { "date=1969-12-31", "date", NULL },
		{ "date=" DAY_19, "date", NULL }, { "date=", "date", NULL },
		{ "from=2017-03-19&to=" DAY_20, "from", NULL },
		{ "from=" DAY_19 "&to=2017-03-20", "to", NULL },
		{ "from=" DAY_19 "&to=2017-03-20T01:00:00+01:00", "to", NULL },
		{ "from=1489926600000&to=" DAY_20, "from", NULL },
		{ "from=" DAY_19 "&to=2017-03-20T00:00:00.0001Z", "to", NULL },
		{ "from=" DAY_19 "&to=" DAY_19, "from", "to" },
		{ "from=" DAY_20 "&to=" DAY_19, "from", "to" },
		{ "from=" DAY_19, "to", "from" }, { "to=" DAY_19, "from", "to" },
		{ "window=1h&date=2017-03-19", "date", "window" },
		{ "date=2017-03-19&window=1h", "date", "window" },
		{ "window=1h&from=" DAY_19, "from", "window" },
		{ "window=1h&from=" DAY_19 "&to=" DAY_20, "from", "window" },
		{ "date=2017-03-19&from=" DAY_19 "&to=" DAY_20, "from", "date" },
		{ "date=2017-03-19&to=" DAY_20, "to", "date" },
		{ "date=2017-03-19&from=" DAY_20, "from", "date" },
		{ "window=2d&to=1970-01-02T00:00:00Z", "window", NULL },
		{ "date=2017-03-19&date=2017-03-19", "date", NULL },
	};
	/* clang-format on */
	struct problem p;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		refused(cases[i].query, cases[i].param, &p);
		assert_non_null(strstr(p.detail, p.param));
		if (cases[i].other != NULL &&
		    strstr(p.detail, cases[i].other) == NULL)
			fail_msg("\"%s\": %s", cases[i].query, p.detail);
	}
}

static void
filters_are_taken_as_they_are(void **state)
{
	const struct filter *f;
	struct problem p;
	struct request r;

	(void)state;
	assert_int_equal(parse(&r,
			     "country=US&city=S%C3%A3o+Paulo&group=42"
			     "&topic=web-design&when=upcoming",
			     &p),
	    0);
	f = &r.topk.filter;
	assert_string_equal(f->country, "us");
	assert_string_equal(f->city, "S\xc3\xa3o Paulo");
	assert_true(f->group_id == 42);
	assert_string_equal(f->group_urlname, "");
	assert_string_equal(f->topic, "web-design");
	assert_int_equal(f->when, TOPK_WHEN_UPCOMING);
	assert_true(filter_given(f));
	assert_int_equal(parse(&r, "group=42nd-street&when=any", &p), 0);
	assert_true(r.topk.filter.group_id == 0);
	assert_string_equal(r.topk.filter.group_urlname, "42nd-street");
	assert_int_equal(parse(&r, "when=any", &p), 0);
	assert_false(filter_given(&r.topk.filter));
}

static void
filters_that_are_none_are_refused(void **state)
{
	/* clang-format off */
	static const struct { const char *query, *param; } cases[] = {
		{ "country=usa", "country" }, { "country=u", "country" },
		{ "country=", "country" }, { "country=u1", "country" },
		{ "country=%C3%A9", "country" }, { "country=u%5B", "country" },
		{ "country=u@", "country" }, { "country=@@", "country" },
		{ "city=", "city" }, { "city", "city" },
		{ "city=a%00b", "city" }, { "city=a%0Ab", "city" },
		{ "city=%7F", "city" }, { "city=%C2%85", "city" },
		{ "city=%C2%9F", "city" }, { "city=%FF", "city" },
		{ "city=%C0%AF", "city" }, { "city=%ED%A0%80", "city" },
		{ "city=a&city=b", "city" },
		{ "group=0", "group" }, { "group=042", "group" },
		{ "group=", "group" }, { "group=9223372036854775808", "group" },
		{ "topic=", "topic" }, { "topic=%1b", "topic" },
		{ "when=now", "when" }, { "when=", "when" },
		{ "when=Past", "when" }, { "format=xml", "format" },
		{ "format=CSV", "format" }, { "format=", "format" },
	};
	/* clang-format on */
	char query[1300] = "city=";
	struct problem p;
	struct request r;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++)
		refused(cases[i].query, cases[i].param, &p);
	/* Characters are counted, of four bytes too. */
	for (i = 0; i < TOPK_TEXT_MAX; i++)
		strcat(query, "%F0%9F%8E%89");
	assert_int_equal(parse(&r, query, &p), 0);
	assert_int_equal(strlen(r.topk.filter.city), 4 * TOPK_TEXT_MAX);
	strcat(query, "x");
	assert_int_equal(parse(&r, query, &p), -1);
}

static void
a_parameter_is_told_whole_in_a_refusal(void **state)
{
	struct problem p;
	struct request r;
	enum param i;

	(void)state;
	for (i = 0; i < PARAMS; i++) {
		assert_true(strlen(param_allowed(i)) < sizeof(p.allowed));
		assert_true(strlen(param_name(i)) + strlen(param_allowed(i)) +
			sizeof("The parameter \"\" must be given: .") <=
		    sizeof(p.detail));
	}
	assert_int_equal(parse(&r, "x=1", &p), -1);
	assert_string_equal(p.allowed,
	    "k, by, window, date, from, to, country, city, group, topic, "
	    "when, format");
}

static void
the_format_is_said_or_negotiated(void **state)
{
	/* clang-format off */
	static const struct { const char *query, *accept; bool csv, negotiated; } cases[] = {
		{ "", NULL, false, true }, { "", "", false, true },
		{ "", "*/*", false, true }, { "", "application/json", false, true },
		{ "", "text/csv", true, true }, { "", "TEXT/CSV", true, true },
		{ "", "text/csv; header=present", true, true },
		{ "", "text/csv,*/*", true, true }, { "", "*/*, text/csv", true, true },
		{ "", "text/csv, application/*", true, true },
		{ "", "text/csv, application/json", false, true },
		{ "", "text/csv;q=0.9, application/json", false, true },
		{ "", "text/csv, application/json;q=0.9", true, true },
		{ "", "text/csv;q=0.9,*/*;q=0.8", true, true },
		{ "", "text/csv;q=0.8,*/*;q=0.9", false, true },
		{ "", "text/csv;q=0", false, true }, { "", "text/csv;q=0.000", false, true },
		{ "", "text/csv ; q=0.001", true, true }, { "", "text/csv;q=x", false, true },
		{ "", "text/csv;q=2", false, true }, { "", "text/csv;q=-1", false, true },
		{ "", "text/*", false, true }, { "", "text/csvx", false, true },
		{ "", "text/cs", false, true }, { "", "x, ,;,text/csv", true, true },
		{ "", "text/html,application/xhtml+xml,*/*;q=0.8", false, true },
		{ "format=json", "text/csv", false, false },
		{ "format=csv", "application/json", true, false },
		{ "format=csv", NULL, true, false },
	};
	/* clang-format on */
	struct request_env env = { .method = "GET",
		.document_uri = "/api/topk" };
	struct problem p;
	struct request r;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		env.query = cases[i].query;
		env.accept = cases[i].accept;
		assert_int_equal(request_parse(&r, &env, &p), 0);
		if (r.csv != cases[i].csv ||
		    r.negotiated != cases[i].negotiated)
			fail_msg("%s %s", cases[i].query,
			    cases[i].accept == NULL ? "-" : cases[i].accept);
	}
	env.document_uri = "/api/events/1";
	env.query = "";
	env.accept = "text/csv";
	assert_int_equal(request_parse(&r, &env, &p), 0);
	assert_false(r.csv || r.negotiated);
}

static void
what_is_too_wide_is_named(void **state)
{
	struct problem p;
	struct request r;

	(void)state;
	assert_int_equal(parse(&r, "topic=x&window=9d&k=7&country=us", &p), 0);
	query_too_wide(&r, &p);
	assert_int_equal(p.status, 503);
	assert_string_equal(p.param, "window");
	assert_non_null(
	    strstr(p.detail, "\"window\" with \"country\" with \"topic\"."));
	assert_int_equal(parse(&r, "city=x", &p), 0);
	query_too_wide(&r, &p);
	assert_string_equal(p.param, "city");
	assert_int_equal(parse(&r, "k=7", &p), 0);
	query_too_wide(&r, &p);
	assert_string_equal(p.param, "");
}

static void
a_history_has_whole_steps_and_not_too_many(void **state)
{
	/* from NULL: refused, and to is what is allowed. */
	/* clang-format off */
	static const struct { const char *query, *from, *to; } cases[] = {
		{ "step=1d&from=2017-03-18T12:30:00Z&to=2017-03-18T12:30:00.001Z", "2017-03-18T00:00:00Z", "2017-03-19T00:00:00Z" },
		{ "from=2017-03-18T00:00:00Z&to=2017-03-19T00:00:00Z", "2017-03-18T00:00:00Z", "2017-03-19T00:00:00Z" },
		{ "step=1h&from=2017-03-18T12:30:00Z&to=2017-03-18T14:00:00.001Z", "2017-03-18T12:00:00Z", "2017-03-18T15:00:00Z" },
		{ "step=1w&from=2017-03-19T23:59:59.999Z&to=2017-03-20T00:00:00Z", "2017-03-13T00:00:00Z", "2017-03-20T00:00:00Z" },
		{ "step=1w&from=1970-01-05T00:00:00Z&to=1970-01-05T00:00:01Z", "1970-01-05T00:00:00Z", "1970-01-12T00:00:00Z" },
		{ "step=1d&from=2017-01-01T00:00:00Z&to=2019-09-28T00:00:00Z", "2017-01-01T00:00:00Z", "2019-09-28T00:00:00Z" },
		{ "step=1d&from=2017-01-01T00:00:00Z&to=2019-09-28T00:00:00.001Z", NULL, "1w" },
		{ "step=1h&from=2017-01-01T00:00:00Z&to=2017-03-01T00:00:00Z", NULL, "1d" },
		{ "step=1h&from=2017-01-01T00:00:00Z&to=2021-03-01T00:00:00Z", NULL, "1w" },
		{ "step=1w&from=1990-01-01T00:00:00Z&to=2021-03-01T00:00:00Z", NULL, "at most 1000 weeks before to" },
		{ "step=1w&from=1970-01-04T23:00:00Z&to=1970-01-06T00:00:00Z", NULL, "a time from 1970-01-05 to 9999-12-27" },
		{ "step=1d&from=9999-12-30T00:00:00Z&to=9999-12-31T23:00:00Z", NULL, "a time from 1970-01-05 to 9999-12-27" },
		{ "step=1w&from=9999-12-28T00:00:00Z&to=9999-12-31T00:00:00Z", NULL, "a time from 1970-01-05 to 9999-12-27" },
		{ "step=2d", NULL, "1h, 1d or 1w" }, { "step=1D", NULL, "1h, 1d or 1w" },
		{ "window=1d", NULL, "from, to, step" },
	};
	/* clang-format on */
	struct problem p;
	struct request r;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		rc = parse_of(
		    &r, "/api/events/a b/history", cases[i].query, &p);
		if (rc != (cases[i].from == NULL ? -1 : 0))
			fail_msg("%s: %d", cases[i].query, rc);
		if (rc == -1) {
			assert_int_equal(p.status, 400);
			assert_string_equal(p.allowed, cases[i].to);
			continue;
		}
		assert_string_equal(r.id, "a b");
		if (r.topk.range.from_ms != ms_of(cases[i].from) ||
		    r.topk.range.to_ms != ms_of(cases[i].to))
			fail_msg("%s: %jd - %jd", cases[i].query,
			    (intmax_t)r.topk.range.from_ms,
			    (intmax_t)r.topk.range.to_ms);
	}
	assert_int_equal(parse_of(&r, "/api/events/a/history", "", &p), 0);
	assert_true(r.step_ms == 86400000);
	assert_int_equal(r.topk.range.kind, RANGE_ALL);
}

static void
a_rank_takes_a_boards_parameters_but_k(void **state)
{
	struct problem p;
	struct request r;

	(void)state;
	assert_int_equal(parse_of(&r, "/api/events/x/y/rank",
			     "around=20&window=7d&country=us&by=headcount", &p),
	    0);
	assert_string_equal(r.id, "x/y");
	assert_int_equal(r.around, 20);
	assert_int_equal(r.topk.range.kind, RANGE_SLIDING);
	assert_int_equal(parse_of(&r, "/api/events/x/rank", "around=0", &p), 0);
	assert_int_equal(
	    parse_of(&r, "/api/events/x/rank", "around=21", &p), -1);
	assert_string_equal(p.param, "around");
	assert_int_equal(
	    parse_of(&r, "/api/events/x/rank", "around=-0", &p), -1);
	assert_int_equal(
	    parse_of(&r, "/api/events/x/rank", "around=00", &p), -1);
	assert_int_equal(parse_of(&r, "/api/events/x/rank", "k=5", &p), -1);
	assert_string_equal(p.param, "k");
	assert_int_equal(
	    parse_of(&r, "/api/events/x/rank", "format=csv", &p), -1);
}

static void
a_search_needs_words_and_has_a_limit(void **state)
{
	struct problem p;
	struct request r;

	(void)state;
	assert_int_equal(parse_of(&r, "/api/events", "q=caf%C3%A9+x", &p), 0);
	assert_string_equal(r.words, "caf\xc3\xa9 x");
	assert_int_equal(r.limit, REQUEST_LIMIT_PRESET);
	assert_int_equal(parse_of(&r, "/api/events", "limit=5", &p), -1);
	assert_string_equal(p.param, "q");
	assert_int_equal(parse_of(&r, "/api/events", "q=", &p), -1);
	assert_string_equal(p.param, "q");
	assert_int_equal(parse_of(&r, "/api/events", "q=a&limit=0", &p), -1);
	assert_string_equal(p.param, "limit");
	assert_int_equal(parse_of(&r, "/api/events", "q=a&limit=101", &p), -1);
	assert_int_equal(parse_of(&r, "/api/topics", "k=1", &p), -1);
	assert_string_equal(p.allowed, "no parameters");
}

static void
an_empty_field_is_not_given_to_a_page(void **state)
{
	struct buf bare = { 0 }, sent = { 0 };
	struct problem p;
	struct request r;

	(void)state;
	assert_int_equal(parse_of(&r, "/", "", &p), 0);
	request_cache_key(&r, &bare);
	assert_int_equal(
	    parse_of(&r, "/", "window=&city=&country=&group=&k=", &p), 0);
	assert_true(r.given == 0);
	request_cache_key(&r, &sent);
	assert_string_equal(buf_str(&sent), buf_str(&bare));
	assert_int_equal(parse_of(&r, "/", "city=&city=Oslo&city=", &p), 0);
	assert_string_equal(r.topk.filter.city, "Oslo");
	assert_int_equal(parse_of(&r, "/search", "q=", &p), 0);
	assert_string_equal(r.words, "");
	/* Without a "=" it is no field of a form; and unknown is unknown. */
	assert_int_equal(parse_of(&r, "/", "city", &p), -1);
	assert_int_equal(parse_of(&r, "/", "x=", &p), -1);
	assert_string_equal(p.param, "x");
	refused("city=", "city", &p);
	refused("window=", "window", &p);
	buf_free(&bare);
	buf_free(&sent);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_is_said_in_one_way),
		cmocka_unit_test(a_range_that_is_none_is_refused_by_name),
		cmocka_unit_test(filters_are_taken_as_they_are),
		cmocka_unit_test(filters_that_are_none_are_refused),
		cmocka_unit_test(a_parameter_is_told_whole_in_a_refusal),
		cmocka_unit_test(the_format_is_said_or_negotiated),
		cmocka_unit_test(what_is_too_wide_is_named),
		cmocka_unit_test(a_history_has_whole_steps_and_not_too_many),
		cmocka_unit_test(a_rank_takes_a_boards_parameters_but_k),
		cmocka_unit_test(a_search_needs_words_and_has_a_limit),
		cmocka_unit_test(an_empty_field_is_not_given_to_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
