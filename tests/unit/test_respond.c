/* The bytes of an answer: marks, conditions, refusals. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/request.h"
#include "fcgi/respond.h"

static void
conditions_are_compared_weakly_and_in_lists(void **state)
{
	/* clang-format off */
	static const struct { const char *condition; bool match; } cases[] = {
		{ "W/\"00ab\"", true }, { "\"00ab\"", true }, { "*", true },
		{ "\"x\", W/\"00ab\"", true }, { "\"x\",\"00ab\"", true },
		{ " W/\"00ab\" ", true }, { "\"a,b\", \"00ab\"", true },
		{ "\"00abc\"", false }, { "\"0ab\"", false }, { "00ab", false },
		{ "W/\"00AB\"", false }, { "", false }, { "\"", false },
		{ "W/", false }, { "\"x", false }, { "\"x\" \"y\"", false },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++)
		if (etag_matches(cases[i].condition, "W/\"00ab\"") !=
		    cases[i].match)
			fail_msg("%s", cases[i].condition);
}

static void
board(struct response *r)
{
	memset(r, 0, sizeof(*r));
	r->status = 200;
	r->type = RESPONSE_JSON;
	buf_adds(&r->body, "{\"stale\":,\"x\":1}");
	r->mark_at = 9;
	r->etag = 0xab;
}

static void
the_mark_says_stale_and_the_length_counts_it(void **state)
{
	struct buf out = { 0 };
	struct request req = { 0 };
	struct response r;

	(void)state;
	board(&r);
	assert_int_equal(respond(&out, &req, &r, false), 200);
	assert_non_null(strstr(buf_str(&out), "Content-Length: 21\r\n"));
	assert_non_null(
	    strstr(buf_str(&out), "\r\n\r\n{\"stale\":false,\"x\":1}"));
	assert_non_null(
	    strstr(buf_str(&out), "ETag: W/\"00000000000000ab\"\r\n"));
	assert_null(strstr(buf_str(&out), "X-Turnout-Stale"));
	buf_clear(&out);
	assert_int_equal(respond(&out, &req, &r, true), 200);
	assert_non_null(strstr(buf_str(&out), "Content-Length: 20\r\n"));
	assert_non_null(
	    strstr(buf_str(&out), "\r\n\r\n{\"stale\":true,\"x\":1}"));
	assert_non_null(
	    strstr(buf_str(&out), "ETag: W/\"00000000000000ab-s\"\r\n"));
	assert_non_null(strstr(buf_str(&out), "X-Turnout-Stale: 1\r\n"));
	buf_free(&r.body);
	buf_free(&out);
}

static void
an_unchanged_answer_is_a_304_and_a_head_has_no_body(void **state)
{
	struct request req = { .if_none_match = "W/\"00000000000000ab\"" };
	struct buf out = { 0 };
	struct response r;

	(void)state;
	board(&r);
	assert_int_equal(respond(&out, &req, &r, false), 304);
	assert_string_equal(buf_str(&out),
	    "Status: 304 Not Modified\r\n"
	    "ETag: W/\"00000000000000ab\"\r\n"
	    "Cache-Control: public, max-age=1, stale-while-revalidate=10, "
	    "stale-if-error=300\r\n\r\n");
	/* The same board, but stale now: that is news. */
	buf_clear(&out);
	assert_int_equal(respond(&out, &req, &r, true), 200);
	buf_clear(&out);
	memset(&req, 0, sizeof(req));
	req.head = true;
	assert_int_equal(respond(&out, &req, &r, false), 200);
	assert_non_null(strstr(buf_str(&out), "Content-Length: 21\r\n"));
	assert_string_equal(buf_str(&out) + out.len - 4, "\r\n\r\n");
	buf_free(&r.body);
	buf_free(&out);
}

static void
a_page_says_in_its_header_of_when_it_is(void **state)
{
	static const char said[] =
	    "X-Turnout-As-Of: 2017-03-19T12:30:00.120Z\r\n";
	struct request req = { 0 };
	struct buf out = { 0 };
	struct response r;

	(void)state;
	board(&r);
	r.as_of_ms = 1489926600120;
	assert_int_equal(respond(&out, &req, &r, false), 200);
	assert_null(strstr(buf_str(&out), "X-Turnout-As-Of"));
	r.type = RESPONSE_HTML;
	buf_clear(&out);
	assert_int_equal(respond(&out, &req, &r, false), 200);
	assert_non_null(strstr(buf_str(&out), said));
	strcpy(req.if_none_match, "*");
	buf_clear(&out);
	assert_int_equal(respond(&out, &req, &r, false), 304);
	assert_non_null(strstr(buf_str(&out), said));
	r.as_of_ms = 0;
	buf_clear(&out);
	assert_int_equal(respond(&out, &req, &r, false), 304);
	assert_null(strstr(buf_str(&out), "X-Turnout-As-Of"));
	buf_free(&r.body);
	buf_free(&out);
}

static void
csv_has_its_type_and_vary_stands_only_where_it_is_true(void **state)
{
	struct request req = { .csv = true };
	struct buf out = { 0 };
	struct response r;

	(void)state;
	board(&r);
	r.type = RESPONSE_CSV;
	r.mark_at = RESPONSE_NO_MARK;
	assert_int_equal(respond(&out, &req, &r, true), 200);
	assert_non_null(strstr(buf_str(&out),
	    "Content-Type: text/csv; charset=utf-8; header=present\r\n"));
	assert_non_null(strstr(buf_str(&out), "X-Turnout-Stale: 1\r\n"));
	assert_non_null(strstr(buf_str(&out), "Content-Length: 16\r\n"));
	assert_null(strstr(buf_str(&out), "Vary"));
	req.negotiated = true;
	buf_clear(&out);
	assert_int_equal(respond(&out, &req, &r, false), 200);
	assert_non_null(strstr(buf_str(&out), "Vary: Accept\r\n"));
	/* A 304 has it too. */
	strcpy(req.if_none_match, "*");
	buf_clear(&out);
	assert_int_equal(respond(&out, &req, &r, false), 304);
	assert_non_null(strstr(buf_str(&out), "Vary: Accept\r\n"));
	buf_free(&r.body);
	buf_free(&out);
}

static void
a_refusal_is_problem_json_that_escapes_what_it_repeats(void **state)
{
	struct problem p = { .status = 400,
		.title = "Bad parameter",
		.detail = "a \"b\"\n<c>",
		.param = "k",
		.allowed = "x" };
	struct request req = { 0 };
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(respond_problem(&out, &req, &p, false, ""), 400);
	assert_non_null(strstr(buf_str(&out),
	    "Content-Type: application/problem+json; charset=utf-8\r\n"));
	assert_non_null(strstr(buf_str(&out), "Cache-Control: no-store\r\n"));
	assert_non_null(
	    strstr(buf_str(&out), "\"param\":\"k\",\"allowed\":\"x\"}"));
	assert_non_null(strstr(buf_str(&out), "a \\\"b\\\"\\"));
	assert_null(strstr(buf_str(&out), "<c>"));
	buf_clear(&out);
	p.status = 503;
	p.retry_after_s = 2;
	respond_problem(&out, &req, &p, false, "");
	assert_non_null(strstr(buf_str(&out), "Retry-After: 2\r\n"));
	buf_clear(&out);
	p.status = 405;
	respond_problem(&out, &req, &p, true, "../");
	assert_non_null(strstr(buf_str(&out), "Allow: GET, HEAD\r\n"));
	assert_non_null(strstr(buf_str(&out), "text/html"));
	assert_null(strstr(buf_str(&out), "<c>"));
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_are_compared_weakly_and_in_lists),
		cmocka_unit_test(the_mark_says_stale_and_the_length_counts_it),
		cmocka_unit_test(
		    an_unchanged_answer_is_a_304_and_a_head_has_no_body),
		cmocka_unit_test(a_page_says_in_its_header_of_when_it_is),
		cmocka_unit_test(
		    csv_has_its_type_and_vary_stands_only_where_it_is_true),
		cmocka_unit_test(
		    a_refusal_is_problem_json_that_escapes_what_it_repeats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
