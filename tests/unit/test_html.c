/* HTML: text stays text, addresses stay addresses. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fcgi/html.h"
#include "fcgi/request.h"
#include "lib/buf.h"
#include "tests/unit/golden.h"

static void
text_and_attributes_are_escaped(void **state)
{
	struct buf b = { 0 };

	(void)state;
	html_text(&b, "<a href='x'>\"&amp;\"</a>");
	html_attr(&b, "title", "\"><b>");
	assert_string_equal(buf_str(&b),
	    "&lt;a href=&#39;x&#39;&gt;&quot;&amp;amp;&quot;&lt;/a&gt;"
	    " title=\"&quot;&gt;&lt;b&gt;\"");
	buf_free(&b);
}

static void
what_html_forbids_is_shown_as_a_replacement(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *html; } cases[] = {
		{ "a\tb\r\nc", "a\tb\r\nc" },
		{ "\x01", "?" }, { "a\x1f" "b\x7f" "c", "a?b?c" },
		{ "\xc2\x80\xc2\x9f\xc2\xa0", "??\xc2\xa0" },
		{ "\xef\xb7\x8f\xef\xb7\x90\xef\xb7\xaf\xef\xb7\xb0",
		    "\xef\xb7\x8f" "??" "\xef\xb7\xb0" },
		{ "\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf", "???" },
		{ "\xf0\x9f\xbf\xbe<\xf4\x8f\xbf\xbf", "?&lt;?" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "a\xff" "b\xc3", "a?b?" },
	};
	/* clang-format on */
	struct buf b = { 0 }, want = { 0 };
	const char *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		buf_clear(&want);
		html_text(&b, cases[i].text);
		for (p = cases[i].html; *p != '\0'; p++)
			if (*p == '?')
				buf_adds(&want, "\xef\xbf\xbd");
			else
				buf_addc(&want, *p);
		assert_string_equal(buf_str(&b), buf_str(&want));
	}
	buf_free(&b);
	buf_free(&want);
}

static void
a_name_of_which_nothing_is_seen_is_blank(void **state)
{
	(void)state;
	assert_true(html_blank(NULL));
	assert_true(html_blank(""));
	assert_true(html_blank(" \t\r\n\xc2\xa0\xe3\x80\x80"));
	/* U+2028 U+2029 U+200B U+200D U+2060 U+FEFF U+202E */
	assert_true(html_blank("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\x8b"
			       "\xe2\x80\x8d\xe2\x81\xa0\xef\xbb\xbf"
			       "\xe2\x80\xae"));
	assert_false(html_blank(" \xe2\x80\xaegnp"));
	assert_false(html_blank("\xcc\x81"));
	/* What is replaced is seen. */
	assert_false(html_blank("\x01"));
	assert_false(html_blank("\xef\xbf\xbf"));
}

static void
a_path_segment_is_encoded_whole(void **state)
{
	struct buf b = { 0 };

	(void)state;
	html_url_path(&b, "a-b._~Z9/../?#%41 &\"<\xc3\xbc");
	assert_string_equal(
	    buf_str(&b), "a-b._~Z9%2F..%2F%3F%23%2541%20%26%22%3C%C3%BC");
	buf_free(&b);
}

static void
only_a_plain_http_address_becomes_a_link(void **state)
{
	static const char *const good[] = {
		"https://example.org",
		"http://example.org:8080/a?b=c&d#e",
		"https://www.example.org/\xc3\xbc/",
		"http://a/[x]",
	};
	static const char *const bad[] = {
		"",
		"javascript:alert(1)",
		"JaVaScRiPt:alert(1)",
		"//evil/",
		"data:text/html,x",
		" https://example.org",
		"https:///x",
		"http://[",
		"https://a@b/",
		"https://a:80:90/",
		"https://a:/",
		"https://example.org/\"onclick=\"x",
		"https://a/\nb",
		"https://a\\b",
		"https://a/<b>",
		"HTTPS://a",
		"https://\xc3",
		"http:/a",
		"https://.a",
		"ftp://a/",
		"https://a/b c",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!html_url_safe(good[i]))
			fail_msg("refused: %s", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (html_url_safe(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static void
a_name_has_its_own_direction_or_a_substitute(void **state)
{
	struct buf b = { 0 };

	(void)state;
	html_name(&b, "span", "a<b", "x");
	html_name(&b, "span", " \t\n", "<7>");
	html_name(&b, "span", NULL, "n");
	assert_string_equal(buf_str(&b),
	    "<span dir=\"auto\">a&lt;b</span><span dir=\"auto\">&lt;7&gt;"
	    "</span><span dir=\"auto\">n</span>");
	buf_free(&b);
}

static void
a_time_is_told_to_people_and_machines(void **state)
{
	struct buf b = { 0 };

	(void)state;
	html_time(&b, INT64_C(1490389200000));
	html_time(&b, INT64_C(1489926600120));
	assert_string_equal(buf_str(&b),
	    "<time datetime=\"2017-03-24T21:00:00Z\">Fri 24 Mar 2017,"
	    " 21:00 UTC</time><time datetime=\"2017-03-19T12:30:00.120Z\">"
	    "Sun 19 Mar 2017, 12:30 UTC</time>");
	buf_free(&b);
}

static void
a_problem_is_a_whole_page(void **state)
{
	struct buf b = { 0 };
	const struct problem p = {
		.status = 400,
		.title = "Bad parameter",
		.detail = "\"<script>\" is no parameter of this page.",
		.param = "<script>",
		.allowed = "k, by",
		.retry_after_s = 2,
	};

	(void)state;
	html_problem(&b, &p, "../");
	assert_golden(buf_str(&b), "problem.html");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_attributes_are_escaped),
		cmocka_unit_test(what_html_forbids_is_shown_as_a_replacement),
		cmocka_unit_test(a_name_of_which_nothing_is_seen_is_blank),
		cmocka_unit_test(a_path_segment_is_encoded_whole),
		cmocka_unit_test(only_a_plain_http_address_becomes_a_link),
		cmocka_unit_test(a_name_has_its_own_direction_or_a_substitute),
		cmocka_unit_test(a_time_is_told_to_people_and_machines),
		cmocka_unit_test(a_problem_is_a_whole_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
