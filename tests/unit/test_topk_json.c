/* Boards and things as JSON, against golden files. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/choices.h"
#include "fcgi/event.h"
#include "fcgi/history.h"
#include "fcgi/rank.h"
#include "fcgi/search.h"
#include "fcgi/thing.h"
#include "fcgi/topk.h"
#include "tests/unit/boards.h"
#include "tests/unit/golden.h"

static void
board_is(void (*make)(struct topk *), const char *golden)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct topk t;

	make(&t);
	topk_json(&out, &t);
	assert_int_equal(out.type, RESPONSE_JSON);
	assert_int_equal(out.status, 200);
	assert_true(out.as_of_ms == t.answer.as_of_ms);
	assert_golden(buf_str(&out.body), golden);
	buf_free(&out.body);
}

static void
a_board_with_hostile_names(void **state)
{
	(void)state;
	board_is(boards_full, "board.json");
}

static void
a_board_of_a_window_with_filters(void **state)
{
	(void)state;
	board_is(boards_window, "board-window.json");
}

static void
a_board_as_csv(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct topk t;

	(void)state;
	boards_window(&t);
	topk_csv(&out, &t);
	assert_int_equal(out.type, RESPONSE_CSV);
	assert_true(out.mark_at == RESPONSE_NO_MARK);
	assert_true(out.etag != 0);
	assert_golden(buf_str(&out.body), "board.csv");
	buf_free(&out.body);
}

static void
an_empty_board(void **state)
{
	(void)state;
	board_is(boards_empty, "empty.json");
}

static void
an_event(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct event ev;

	(void)state;
	boards_event(&ev);
	event_json(&out, &ev);
	assert_golden(buf_str(&out.body), "event.json");
	buf_free(&out.body);
}

static void
a_rank_beyond_those_that_are_told(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct rank rank;
	uint64_t etag;

	(void)state;
	boards_rank(&rank);
	rank_json(&out, &rank);
	assert_golden(buf_str(&out.body), "rank.json");
	assert_memory_equal(out.body.data + out.mark_at - 8, "\"stale\":,", 9);
	etag = out.etag;
	buf_clear(&out.body);
	rank.query.range.to_ms += 7;
	rank.answer.version++;
	rank_json(&out, &rank);
	assert_true(out.etag == etag);
	buf_clear(&out.body);
	rank.n = 0;
	rank.placed = false;
	rank_json(&out, &rank);
	assert_non_null(strstr(buf_str(&out.body),
	    "\"rank\":null,\"beyond\":null,\"events\":[]}"));
	buf_free(&out.body);
}

static void
a_history_and_one_of_nothing(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct history h;

	(void)state;
	boards_history(&h);
	history_json(&out, &h);
	assert_golden(buf_str(&out.body), "history.json");
	assert_memory_equal(out.body.data + out.mark_at - 8, "\"stale\":,", 9);
	buf_clear(&out.body);
	h.from_ms = DETAILS_ABSENT;
	h.n = 0;
	history_json(&out, &h);
	assert_non_null(
	    strstr(buf_str(&out.body), "{\"query\":{\"step\":\"1w\"},"));
	assert_non_null(strstr(buf_str(&out.body), "\"points\":[]}"));
	buf_free(&out.body);
}

static void
what_was_found(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct search s;

	(void)state;
	boards_search(&s);
	search_json(&out, &s);
	assert_golden(buf_str(&out.body), "search.json");
	assert_memory_equal(out.body.data + out.mark_at - 8, "\"stale\":,", 9);
	buf_free(&out.body);
}

static void
topics_to_choose_from(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct choices c = { .kind = CHOICES_TOPICS,
		.n = 2,
		.choices = { { "c++", "C & <C++>", 5 }, { "x", NULL, 1 } } };

	(void)state;
	choices_json(&out, &c);
	assert_golden(buf_str(&out.body), "topics.json");
	buf_clear(&out.body);
	c.kind = CHOICES_COUNTRIES;
	c.n = 1;
	choices_json(&out, &c);
	assert_non_null(strstr(buf_str(&out.body),
	    "\"countries\":[{\"country\":\"c++\",\"groups\":5}]}"));
	buf_free(&out.body);
}

static uint64_t
etag_of(const struct topk *t)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	uint64_t etag;

	topk_json(&out, t);
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
	t.tie_at_cutoff = false;
	assert_true(etag_of(&t) != first);
}

/* What moves by itself is no news; a range that was asked for is. */
static void
the_etag_stands_while_a_window_slides(void **state)
{
	struct topk t;
	uint64_t first;

	(void)state;
	boards_window(&t);
	first = etag_of(&t);
	t.query.range.from_ms += 1001;
	t.query.range.to_ms += 1001;
	t.answer.as_of_ms += 1001;
	assert_true(etag_of(&t) == first);
	t.entries[2].previous_rank = 2;
	assert_true(etag_of(&t) != first);
	t.entries[2].previous_rank = 1;
	strcpy(t.query.range.window, "1d");
	assert_true(etag_of(&t) != first);
	strcpy(t.query.range.window, "24h");
	strcpy(t.query.filter.country, "de");
	assert_true(etag_of(&t) != first);

	boards_window(&t);
	t.query.range.kind = RANGE_WINDOW;
	first = etag_of(&t);
	t.query.range.to_ms++;
	assert_true(etag_of(&t) != first);
}

static void
a_day_is_told_as_a_day(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct topk t;

	(void)state;
	boards_full(&t);
	t.query.range.kind = RANGE_DAY;
	t.query.range.from_ms = INT64_C(1489881600000);
	t.query.range.to_ms = INT64_C(1489968000000);
	strcpy(t.query.filter.group_urlname, "a-b");
	topk_json(&out, &t);
	assert_non_null(strstr(buf_str(&out.body),
	    "{\"query\":{\"k\":3,\"by\":\"rsvps\",\"date\":\"2017-03-19\","
	    "\"from\":\"2017-03-19T00:00:00Z\","
	    "\"to\":\"2017-03-20T00:00:00Z\",\"group\":\"a-b\"},\"as_of\""));
	assert_non_null(strstr(buf_str(&out.body), "\"previous_rank\":null"));
	buf_free(&out.body);
}

static void
the_stale_mark_has_its_place(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct topk t;

	(void)state;
	boards_full(&t);
	topk_json(&out, &t);
	assert_true(out.mark_at < out.body.len);
	assert_memory_equal(out.body.data + out.mark_at - 8, "\"stale\":,", 9);
	buf_free(&out.body);
}

static void
a_group(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct thing t;

	(void)state;
	boards_group(&t);
	thing_json(&out, &t);
	assert_golden(buf_str(&out.body), "group.json");
	buf_free(&out.body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_board_with_hostile_names),
		cmocka_unit_test(a_board_of_a_window_with_filters),
		cmocka_unit_test(a_board_as_csv),
		cmocka_unit_test(an_empty_board),
		cmocka_unit_test(a_rank_beyond_those_that_are_told),
		cmocka_unit_test(a_history_and_one_of_nothing),
		cmocka_unit_test(what_was_found),
		cmocka_unit_test(topics_to_choose_from),
		cmocka_unit_test(an_event),
		cmocka_unit_test(a_group),
		cmocka_unit_test(the_etag_stands_while_the_board_stands),
		cmocka_unit_test(the_etag_stands_while_a_window_slides),
		cmocka_unit_test(a_day_is_told_as_a_day),
		cmocka_unit_test(the_stale_mark_has_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
