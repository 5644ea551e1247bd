/* The pages but the board's, against golden files; and the words of all. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/event_page.h"
#include "fcgi/plot.h"
#include "fcgi/search.h"
#include "fcgi/thing_page.h"
#include "fcgi/words.h"
#include "tests/unit/boards.h"
#include "tests/unit/golden.h"

/* Takes the response: a page, with a mark and an ETag. */
static void
page_is(struct response *out, const char *golden)
{
	assert_int_equal(out->type, RESPONSE_HTML);
	assert_int_equal(out->status, 200);
	assert_true(out->mark_at < out->body.len);
	assert_true(out->etag != 0);
	assert_golden(buf_str(&out->body), golden);
	buf_free(&out->body);
}

static void
an_event(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct event_page p;

	(void)state;
	boards_event_page(&p);
	event_page_html(&out, &p);
	page_is(&out, "event.html");
}

static void
an_event_whose_ranks_took_too_long_says_so(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct event_page p;
	const char *at;
	int n = 0;

	(void)state;
	boards_event_page(&p);
	p.nwindows = p.nneighbours = 0;
	event_page_html(&out, &p);
	for (at = buf_str(&out.body); (at = strstr(at, "not known now")); n++)
		at++;
	assert_int_equal(n, 4);
	buf_free(&out.body);
}

static void
an_event_that_nobody_goes_to_has_no_plot(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct event_page p;

	(void)state;
	boards_event_page(&p);
	p.event.details.rsvps = p.event.details.headcount = 0;
	p.ndays = p.nneighbours = 0;
	event_page_html(&out, &p);
	assert_null(strstr(buf_str(&out.body), "<svg"));
	assert_non_null(strstr(buf_str(&out.body), "Nobody says yes to it."));
	buf_free(&out.body);
}

static size_t
bars_of(int64_t days)
{
	struct buf b = { 0 };
	struct event_page p;
	const char *at;
	size_t n = 0;

	boards_event_page(&p);
	p.ndays = 2;
	p.days[1].at_ms = p.days[0].at_ms - (days - 1) * INT64_C(86400000);
	event_history_html(&b, &p);
	at = strstr(buf_str(&b), "viewBox=\"0 0 ");
	assert_non_null(at);
	for (at += strlen("viewBox=\"0 0 "); *at != ' '; at++)
		n = n * 10 + (size_t)(*at - '0');
	buf_free(&b);
	return n / 10;
}

static void
a_long_history_has_wider_bars_and_never_too_many(void **state)
{
	(void)state;
	assert_int_equal(bars_of(2), 14);
	assert_int_equal(bars_of(120), 120);
	assert_int_equal(bars_of(121), 18);
	assert_int_equal(bars_of(840), 120);
	assert_int_equal(bars_of(841), 31);
	assert_int_equal(bars_of(16000), 572);
}

static void
a_group_with_something_of_each_part(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct thing_page p;

	(void)state;
	boards_group_page(&p);
	thing_html(&out, &p);
	page_is(&out, "group.html");
}

static void
a_venue_with_nothing_on(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct thing_page p;

	(void)state;
	boards_venue_page(&p);
	thing_html(&out, &p);
	page_is(&out, "venue.html");
}

static void
what_was_found(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct search s;

	(void)state;
	boards_search(&s);
	search_html(&out, &s);
	page_is(&out, "search.html");
}

static void
a_search_says_nothing_was_found_or_that_there_may_be_more(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct search s;

	(void)state;
	boards_search(&s);
	s.limit = 2;
	search_html(&out, &s);
	assert_non_null(strstr(buf_str(&out.body), "At least 2 events"));
	buf_clear(&out.body);
	s.n = 0;
	search_html(&out, &s);
	assert_non_null(strstr(buf_str(&out.body),
	    "Nothing was found for \u201c<span dir=\"auto\">&lt;b&gt;"));
	buf_clear(&out.body);
	s.words = "";
	search_html(&out, &s);
	assert_non_null(strstr(buf_str(&out.body), "Write some words"));
	buf_free(&out.body);
}

static void
one_rsvp_among_a_thousand_has_a_bar_that_is_seen(void **state)
{
	int hours[PLOT_HOURS] = { [1] = 1, [2] = 1000 };
	struct buf b = { 0 };

	(void)state;
	plot_hours(&b, hours, INT64_C(1489881600000));
	assert_non_null(
	    strstr(buf_str(&b), "d=\"M4 23v-2h3v2zM8 23v-22h3v22z\""));
	assert_non_null(strstr(buf_str(&b),
	    "1,001 RSVPs in 24 hours, most in one hour 1,000, from Sun 19 Mar"
	    " 2017, 02:00 UTC"));
	buf_free(&b);
}

static void
no_word_is_missing(void **state)
{
	int w;

	(void)state;
	for (w = 0; w < WORDS; w++)
		if (word((enum word)w) == NULL)
			fail_msg("word %d is missing", w);
}

static void
numbers_and_spans_are_those_of_the_language(void **state)
{
	char number[WORDS_NUMBER_LEN];
	struct buf b = { 0 };

	(void)state;
	assert_string_equal(words_number(number, 0), "0");
	assert_string_equal(words_number(number, 999), "999");
	assert_string_equal(words_number(number, 1000), "1,000");
	assert_string_equal(words_number(number, -123456), "-123,456");
	assert_string_equal(
	    words_number(number, INT64_MAX), "9,223,372,036,854,775,807");
	words_span(&b, 450);
	buf_addc(&b, '|');
	words_span(&b, 119999);
	buf_addc(&b, '|');
	words_span(&b, 7199999);
	buf_addc(&b, '|');
	words_span(&b, INT64_C(172799999));
	buf_addc(&b, '|');
	words_span(&b, INT64_C(172800000));
	assert_string_equal(buf_str(&b), "0.4 s|119 s|119 min|47 h|2 days");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event),
		cmocka_unit_test(an_event_whose_ranks_took_too_long_says_so),
		cmocka_unit_test(an_event_that_nobody_goes_to_has_no_plot),
		cmocka_unit_test(
		    a_long_history_has_wider_bars_and_never_too_many),
		cmocka_unit_test(a_group_with_something_of_each_part),
		cmocka_unit_test(a_venue_with_nothing_on),
		cmocka_unit_test(what_was_found),
		cmocka_unit_test(
		    a_search_says_nothing_was_found_or_that_there_may_be_more),
		cmocka_unit_test(
		    one_rsvp_among_a_thousand_has_a_bar_that_is_seen),
		cmocka_unit_test(no_word_is_missing),
		cmocka_unit_test(numbers_and_spans_are_those_of_the_language),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
