/* Boards as pages, against golden files. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/topk.h"
#include "tests/unit/boards.h"
#include "tests/unit/golden.h"

static void
board_is(void (*make)(struct topk *), const char *golden)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct topk t;

	make(&t);
	topk_html(&out, &t);
	assert_int_equal(out.type, RESPONSE_HTML);
	assert_int_equal(out.status, 200);
	assert_true(out.as_of_ms == t.answer.as_of_ms);
	assert_golden(buf_str(&out.body), golden);
	buf_free(&out.body);
}

static void
a_board_with_hostile_names(void **state)
{
	(void)state;
	board_is(boards_full, "board.html");
}

static void
a_board_of_a_window_with_filters_says_so(void **state)
{
	(void)state;
	board_is(boards_window, "board-window.html");
}

static void
a_filtered_board_that_is_empty_is_not_that_of_no_rsvps(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct topk t;

	(void)state;
	boards_empty(&t);
	strcpy(t.query.filter.country, "us");
	topk_html(&out, &t);
	assert_null(strstr(buf_str(&out.body), "not one RSVP"));
	assert_non_null(strstr(buf_str(&out.body),
	    "No event has an RSVP of all time, country "
	    "<span dir=\"auto\">us</span>."));
	buf_free(&out.body);
}

static void
an_empty_board(void **state)
{
	(void)state;
	board_is(boards_empty, "empty.html");
}

static void
a_board_says(const struct topk *t, const char *words)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };

	topk_html(&out, t);
	if (strstr(buf_str(&out.body), words) == NULL)
		fail_msg("no \"%s\" in:\n%s", words, buf_str(&out.body));
	buf_free(&out.body);
}

static void
a_tie_is_told_as_far_as_it_was_counted(void **state)
{
	struct topk t;

	(void)state;
	boards_full(&t);
	t.tied = -1;
	a_board_says(&t, "tie: at least one more event has as many RSVPs");
	t.tied = 1;
	a_board_says(&t, "tie: 1 more event has as many RSVPs");
	t.tied = 99;
	a_board_says(&t, "tie: 99 more events have as many RSVPs");
	t.tied = 100;
	a_board_says(&t, "tie: at least 100 more events have as many RSVPs");
	t.query.by = TOPK_BY_HEADCOUNT;
	a_board_says(&t, "tie: at least 100 more events have as many people");
}

static void
a_range_is_told_as_far_as_it_is_known(void **state)
{
	struct topk t;

	(void)state;
	boards_window(&t);
	a_board_says(&t, "Movement is against the 24 hours before;");
	t.first_ms = t.query.range.from_ms - 1;
	a_board_says(&t, "before, of which only a part is stored;");
	t.first_ms = t.query.range.from_ms;
	a_board_says(&t, "Nothing is stored of the 24 hours before");
	t.first_ms++;
	a_board_says(&t, "Only a part of this range is known");
	t.query.range.kind = RANGE_DAY;
	t.query.range.window[0] = '\0';
	t.query.range.window_ms = 0;
	t.query.range.to_ms = t.answer.as_of_ms + 1;
	a_board_says(&t, "This range is not over: it runs to");
	t.query.range.from_ms = t.answer.as_of_ms + 1;
	t.query.range.to_ms += 86400000;
	a_board_says(&t, "This range has not begun.");
	a_board_says(&t, "of <time datetime=\"2017-03-19\">");
}

static void
a_window_is_in_words(void **state)
{
	static const struct {
		const char *window, *words;
		int64_t ms;
	} windows[] = {
		{ "1h", "of the last hour", 3600000 },
		{ "1d", "of the last day", 86400000 },
		{ "7d", "of the last 7 days", 7 * INT64_C(86400000) },
		{ "90m", "of the last 90 minutes", 5400000 },
		{ "9600h", "of the last 9,600 hours", 9600 * INT64_C(3600000) },
	};
	struct topk t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		boards_window(&t);
		strcpy(t.query.range.window, windows[i].window);
		t.query.range.window_ms = windows[i].ms;
		a_board_says(&t, windows[i].words);
	}
}

static void
a_large_board_has_no_plots(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct topk t;

	(void)state;
	boards_full(&t);
	t.query.k = TOPK_PLOTS_MAX + 1;
	topk_html(&out, &t);
	assert_null(strstr(buf_str(&out.body), "<svg"));
	assert_null(strstr(buf_str(&out.body), "class=\"plot\""));
	assert_non_null(strstr(buf_str(&out.body), "the plots of the last 24"));
	buf_free(&out.body);
}

static uint64_t
etag_of(const struct topk *t)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	uint64_t etag;

	topk_html(&out, t);
	etag = out.etag;
	buf_free(&out.body);
	return etag;
}

static void
the_etag_stands_while_the_board_stands(void **state)
{
	const struct suggestions suggested = {
		.n = 1,
		.all = { { "city", "Oslo", "no", 3, true } },
	};
	struct topk t;
	uint64_t first;

	(void)state;
	boards_full(&t);
	first = etag_of(&t);
	assert_true(first != 0);
	t.answer.as_of_ms += 86400000;
	t.answer.lag_messages = ANSWER_UNKNOWN;
	t.answer.lag_ms = 5;
	t.answer.version++;
	t.suggested = &suggested;
	assert_true(etag_of(&t) == first);
	t.entries[2].event.headcount++;
	assert_true(etag_of(&t) != first);
	t.entries[2].event.headcount--;
	t.query.k++;
	assert_true(etag_of(&t) != first);
	t.query.k--;
	t.tied = 0;
	assert_true(etag_of(&t) != first);
}

static void
the_stale_mark_has_its_place(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct topk t;

	(void)state;
	boards_full(&t);
	topk_html(&out, &t);
	assert_true(out.mark_at < out.body.len);
	assert_memory_equal(
	    out.body.data + out.mark_at - 17, "<div id=\"board\">\n", 17);
	buf_free(&out.body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_board_with_hostile_names),
		cmocka_unit_test(a_board_of_a_window_with_filters_says_so),
		cmocka_unit_test(
		    a_filtered_board_that_is_empty_is_not_that_of_no_rsvps),
		cmocka_unit_test(an_empty_board),
		cmocka_unit_test(a_tie_is_told_as_far_as_it_was_counted),
		cmocka_unit_test(a_range_is_told_as_far_as_it_is_known),
		cmocka_unit_test(a_window_is_in_words),
		cmocka_unit_test(a_large_board_has_no_plots),
		cmocka_unit_test(the_etag_stands_while_the_board_stands),
		cmocka_unit_test(the_stale_mark_has_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
