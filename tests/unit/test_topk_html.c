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
	    "No event has a yes, RSVPs of all time, country "
	    "<span dir=\"auto\">us</span>."));
	buf_free(&out.body);
}

static void
an_empty_board(void **state)
{
	(void)state;
	board_is(boards_empty, "empty.html");
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
		cmocka_unit_test(the_etag_stands_while_the_board_stands),
		cmocka_unit_test(the_stale_mark_has_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
