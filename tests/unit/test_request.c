/* What is taken for a request, what is refused, and under which key. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/request.h"
#include "fcgi/route.h"
#include "lib/buf.h"

static int
parse(struct request *r, const char *method, const char *path,
    const char *query, struct problem *p)
{
	const struct request_env env = { .method = method,
		.document_uri = path,
		.script_name = "",
		.query = query };

	return request_parse(r, &env, p);
}

static void
queries_are_taken_or_refused(void **state)
{
	/* k = 0: refused; param is what the refusal names. */
	/* clang-format off */
	static const struct { const char *query; int k; enum topk_by by; const char *param; } cases[] = {
		{ "", 10, TOPK_BY_RSVPS, NULL },
		{ "k=1", 1, TOPK_BY_RSVPS, NULL },
		{ "k=1000", 1000, TOPK_BY_RSVPS, NULL },
		{ "by=headcount", 10, TOPK_BY_HEADCOUNT, NULL },
		{ "by=rsvps&k=5", 5, TOPK_BY_RSVPS, NULL },
		{ "k=%35", 5, TOPK_BY_RSVPS, NULL },
		{ "%6b=5", 5, TOPK_BY_RSVPS, NULL },
		{ "k=0", 0, 0, "k" }, { "k=1001", 0, 0, "k" },
		{ "k=-1", 0, 0, "k" }, { "k=+5", 0, 0, "k" },
		{ "k=1.5", 0, 0, "k" }, { "k=1e2", 0, 0, "k" },
		{ "k=0x10", 0, 0, "k" }, { "k=010", 0, 0, "k" },
		{ "k=5%20", 0, 0, "k" }, { "k=%205", 0, 0, "k" },
		{ "k=abc", 0, 0, "k" }, { "k=", 0, 0, "k" },
		{ "k", 0, 0, "k" }, { "k=4294967297", 0, 0, "k" },
		{ "k=18446744073709551617", 0, 0, "k" },
		{ "k=99999999999999999999999999999999", 0, 0, "k" },
		{ "k=\xd9\xa5", 0, 0, "k" }, { "k=%D9%A5", 0, 0, "k" },
		{ "k=5&k=5", 0, 0, "k" }, { "k=5&k=6", 0, 0, "k" },
		{ "by=", 0, 0, "by" }, { "by=RSVPS", 0, 0, "by" },
		{ "by=rsvps%00", 0, 0, "by" }, { "by=people", 0, 0, "by" },
		{ "by=rsvps&by=rsvps", 0, 0, "by" },
		{ "K=5", 0, 0, "K" }, { "k[]=5", 0, 0, "k[]" },
		{ "k=5;by=rsvps", 0, 0, "k" },
		{ "by=headcount&k=007", 0, 0, "k" }, { "k=5,5", 0, 0, "k" },
		{ "k=5%0D%0AX:1", 0, 0, "k" }, { "k=1_0", 0, 0, "k" },
		{ "k=5%7F", 0, 0, "k" }, { "x%1F=1", 0, 0, "" },
		{ "k=%ff", 0, 0, "k" }, { "k=%ED%A0%80", 0, 0, "k" },
		{ "k=5+", 0, 0, "k" }, { "k=+", 0, 0, "k" }, { "k==5", 0, 0, "k" },
		{ "k=5=6", 0, 0, "k" }, { "by=%72svps", 10, TOPK_BY_RSVPS, NULL },
		{ "by=rsvps ", 0, 0, "by" }, { "by", 0, 0, "by" },
		{ "k=5&%6B=6", 0, 0, "k" }, { "windows=24h", 0, 0, "windows" },
		{ "k=5&x=", 0, 0, "x" },
		{ "x=1", 0, 0, "x" }, { "&", 0, 0, "" }, { "k=5&", 0, 0, "" },
		{ "&&&", 0, 0, "" }, { "=5", 0, 0, "" },
		{ "%00=1", 0, 0, "" }, { "%zz=1", 0, 0, "" },
		{ "k=%", 0, 0, "k" }, { "k=%4", 0, 0, "k" },
		{ "k=%zz", 0, 0, "k" }, { "k=%00", 0, 0, "k" },
		{ "\xff\xfe=1", 0, 0, "" }, { "%C0%AF=1", 0, 0, "" },
		{ "<script>=1", 0, 0, "<script>" },
		{ "%C3%A9=1", 0, 0, "??" },
	};
	/* clang-format on */
	struct problem p;
	struct request r;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		rc = parse(&r, "GET", "/api/topk", cases[i].query, &p);
		if (rc != (cases[i].k == 0 ? -1 : 0))
			fail_msg("\"%s\": %d", cases[i].query, rc);
		if (rc == 0) {
			assert_int_equal(r.topk.k, cases[i].k);
			assert_int_equal(r.topk.by, cases[i].by);
			continue;
		}
		assert_int_equal(p.status, 400);
		if (strcmp(p.param, cases[i].param) != 0)
			fail_msg(
			    "\"%s\" names \"%s\"", cases[i].query, p.param);
		assert_true(p.param[0] == '\0' || p.allowed[0] != '\0');
	}
}

static void
paths_and_ids_are_exact(void **state)
{
	/* clang-format off */
	static const struct { const char *path; int status; const char *id; } cases[] = {
		{ "/", 0, "" }, { "/api/topk", 0, "" }, { "/healthz", 0, "" },
		{ "/events/abc", 0, "abc" }, { "/api/events/221001219", 0, "221001219" },
		{ "/events/a b<>&\"'\xc3\xa9", 0, "a b<>&\"'\xc3\xa9" },
		{ "/api/events/1/rank", 0, "1" }, { "/api/events/rank", 0, "rank" },
		{ "/api/events/a/b/history", 0, "a/b" }, { "/events/1/rank", 0, "1/rank" },
		{ "/api/events/1/ranks", 0, "1/ranks" }, { "/api/groups/1/rank", 400, NULL },
		{ "/api/groups/1", 0, "1" },
		{ "/api/venues/9223372036854775807", 0, "9223372036854775807" },
		{ "/api/venues/9223372036854775808", 400, NULL },
		{ "/api/venues/99999999999999999999", 400, NULL },
		{ "/api/venues/", 404, NULL }, { "/api/venues/1/", 400, NULL },
		{ "/api/venues/ 1", 400, NULL }, { "/api/venues/+1", 400, NULL },
		{ "/api/members/0", 400, NULL }, { "/api/members/01", 400, NULL },
		{ "/api/groups/-1", 400, NULL }, { "/api/groups/1x", 400, NULL },
		{ "/api/groups/9999999999999999999", 400, NULL },
		{ "/api/topk/", 404, NULL }, { "/api/topk/x", 404, NULL },
		{ "/API/TOPK", 404, NULL }, { "/api", 404, NULL },
		{ "/api/", 404, NULL }, { "//api/topk", 404, NULL },
		{ "/api/topk;x", 404, NULL }, { "/events/", 404, NULL },
		{ "/events", 404, NULL }, { "/events/a/b?#", 0, "a/b?#" },
		{ "/events/a\nb", 404, NULL }, { "/events/a\x7f", 404, NULL }, { "/events/\xc0\xaf", 404, NULL },
		{ "/api/events/\xed\xa0\x80", 404, NULL }, { "/index.php", 404, NULL },
	};
	/* clang-format on */
	struct problem p;
	struct request r;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		rc = parse(&r, "GET", cases[i].path, "", &p);
		if ((rc == 0) != (cases[i].status == 0) ||
		    (rc == -1 && p.status != cases[i].status))
			fail_msg(
			    "%s: %d, status %d", cases[i].path, rc, p.status);
		if (rc == 0)
			assert_string_equal(r.id, cases[i].id);
	}
	assert_int_equal(parse(&r, "GET", "/api/groups/42", "", &p), 0);
	assert_true(r.number == 42);
}

static void
an_id_longer_than_any_is_unknown(void **state)
{
	char path[REQUEST_ID_MAX + 32] = "/events/";
	struct problem p;
	struct request r;

	(void)state;
	memset(path + 8, 'a', REQUEST_ID_MAX);
	path[8 + REQUEST_ID_MAX] = '\0';
	assert_int_equal(parse(&r, "GET", path, "", &p), 0);
	assert_int_equal(strlen(r.id), REQUEST_ID_MAX);
	strcat(path, "a");
	assert_int_equal(parse(&r, "GET", path, "", &p), -1);
	assert_int_equal(p.status, 404);
}

static void
only_get_and_head_are_methods(void **state)
{
	static const char *const bad[] = { "POST", "PUT", "DELETE", "get", "",
		"OPTIONS", "GETX" };
	struct problem p;
	struct request r;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(bad); i++) {
		assert_int_equal(parse(&r, bad[i], "/api/topk", "", &p), -1);
		assert_int_equal(p.status, 405);
	}
	assert_int_equal(parse(&r, "HEAD", "/api/topk", "", &p), 0);
	assert_true(r.head);
	assert_int_equal(parse(&r, NULL, "/api/topk", NULL, &p), -1);
}

static void
parameters_have_no_place_where_a_route_takes_none(void **state)
{
	struct problem p;
	struct request r;

	(void)state;
	assert_int_equal(parse(&r, "GET", "/api/events/x", "k=5", &p), -1);
	assert_int_equal(p.status, 400);
	assert_string_equal(p.param, "k");
	assert_string_equal(p.allowed, "no parameters");
}

static void
a_query_of_any_length_is_bounded(void **state)
{
	char query[2100];
	struct problem p;
	struct request r;

	(void)state;
	memset(query, 'k', sizeof(query) - 1);
	query[sizeof(query) - 1] = '\0';
	assert_int_equal(parse(&r, "GET", "/api/topk", query, &p), -1);
	assert_int_equal(p.status, 414);
	assert_string_equal(p.title, "Query too long");
	query[2000] = '\0';
	assert_int_equal(parse(&r, "GET", "/api/topk", query, &p), -1);
	assert_int_equal(p.status, 400);
}

static void
the_path_is_found_under_a_prefix_and_as_cgi(void **state)
{
	/* clang-format off */
	static const struct { struct request_env env; const char *path; } cases[] = {
		{ { .document_uri = "/turnout/api/topk", .script_name = "/turnout" }, "/api/topk" },
		{ { .document_uri = "/turnout/", .script_name = "/turnout" }, "/" },
		{ { .document_uri = "/turnout", .script_name = "/turnout" }, "/" },
		{ { .document_uri = "/x", .script_name = "/cgi", .path_info = "/api/topk" }, "/api/topk" },
		{ { .document_uri = "/api/topk" }, "/api/topk" },
		{ { .method = "GET" }, "/" },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++)
		assert_string_equal(request_path(&cases[i].env), cases[i].path);
}

#define DAY_19 "2017-03-19T00:00:00Z"
#define DAY_20 "2017-03-20T00:00:00Z"

static void
two_ways_to_ask_have_one_key_and_two_questions_two(void **state)
{
	/* clang-format off */
	static const struct { const char *path, *query; } different[] = {
		{ "/api/topk", "" }, { "/api/topk", "k=11" },
		{ "/api/topk", "by=headcount" }, { "/", "" },
		{ "/events/a", "" }, { "/api/events/a", "" },
		{ "/api/events/b", "" }, { "/api/groups/1", "" },
		{ "/api/venues/1", "" }, { "/api/events/1", "" },
		{ "/api/topk", "window=24h" }, { "/api/topk", "window=1d" },
		{ "/api/topk", "window=24h&to=" DAY_20 },
		{ "/api/topk", "window=1d&to=" DAY_20 },
		{ "/api/topk", "date=2017-03-19" },
		{ "/api/topk", "from=" DAY_19 "&to=" DAY_20 },
		{ "/api/topk", "country=us" }, { "/api/topk", "city=us" },
		{ "/api/topk", "group=us" }, { "/api/topk", "topic=us" },
		{ "/api/topk", "group=1" }, { "/api/topk", "city=1" },
		{ "/api/topk", "city=a%7Ctopic=1:b" },
		{ "/api/topk", "city=a%7Ctopic=b" },
		{ "/api/topk", "city=a&topic=b" },
		{ "/api/events", "q=a" }, { "/api/events", "q=b" },
		{ "/api/events", "q=a&limit=1" }, { "/api/topics", "" },
		{ "/api/cities", "" }, { "/api/countries", "" },
		{ "/api/events/a/rank", "" }, { "/api/events/a/history", "" },
		{ "/api/events/b/rank", "" }, { "/api/events/a/ranks", "" },
		{ "/api/events/a/rank", "around=1" },
		{ "/api/events/a/rank", "window=1d" },
		{ "/api/events/a/history", "step=1w" },
		{ "/api/events/a/history", "from=" DAY_19 "&to=" DAY_20 },
		{ "/api/events/rank|1:a|k=10|by=rsvps|around=0", "" },
		{ "/api/topk", "when=past" }, { "/api/topk", "format=csv" },
	};
	/* clang-format on */
	struct buf keys[NITEMS(different)] = { { 0 } }, other = { 0 };
	struct problem p;
	struct request r;
	size_t i, j;

	(void)state;
	for (i = 0; i < NITEMS(different); i++) {
		assert_int_equal(
		    parse(&r, "GET", different[i].path, different[i].query, &p),
		    0);
		request_cache_key(&r, &keys[i]);
		for (j = 0; j < i; j++)
			assert_string_not_equal(
			    buf_str(&keys[i]), buf_str(&keys[j]));
	}
	assert_int_equal(
	    parse(&r, "GET", "/api/topk", "by=rsvps&k=%31%30", &p), 0);
	request_cache_key(&r, &other);
	assert_string_equal(buf_str(&other), buf_str(&keys[0]));
	/* Neither the order nor what is the preset makes another entry. */
	buf_clear(&other);
	assert_int_equal(parse(&r, "GET", "/api/topk",
			     "when=any&format=json&country=US&k=10", &p),
	    0);
	request_cache_key(&r, &other);
	assert_string_equal(
	    buf_str(&other), "t1|/api/topk|k=10|by=rsvps|country=2:us");
	buf_free(&other);
	for (i = 0; i < NITEMS(different); i++)
		buf_free(&keys[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_are_taken_or_refused),
		cmocka_unit_test(paths_and_ids_are_exact),
		cmocka_unit_test(an_id_longer_than_any_is_unknown),
		cmocka_unit_test(only_get_and_head_are_methods),
		cmocka_unit_test(
		    parameters_have_no_place_where_a_route_takes_none),
		cmocka_unit_test(a_query_of_any_length_is_bounded),
		cmocka_unit_test(the_path_is_found_under_a_prefix_and_as_cgi),
		cmocka_unit_test(
		    two_ways_to_ask_have_one_key_and_two_questions_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
