/* The frozen API: these golden files are never to change. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/details.h"
#include "fcgi/request.h"
#include "fcgi/v1.h"
#include "tests/unit/boards.h"
#include "tests/unit/golden.h"

static void
a_board_is_an_array_and_an_empty_one_too(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct topk t;

	(void)state;
	boards_full(&t);
	v1_topk_json(&out, &t);
	assert_golden(buf_str(&out.body), "v1-topk.json");
	assert_true(out.mark_at == RESPONSE_NO_MARK);
	assert_true(out.etag != 0);
	buf_clear(&out.body);
	boards_empty(&t);
	v1_topk_json(&out, &t);
	assert_string_equal(buf_str(&out.body), "[]\n");
	buf_free(&out.body);
}

static void
what_is_absent_is_zero_but_a_venue_is_null(void **state)
{
	struct response out = { .mark_at = RESPONSE_NO_MARK };
	struct v1_info info = { .group = { 7, "A \"b\"", true, 0.1, -2.5 },
		.urlname = "a-b",
		.city = "Hoboken",
		.state = "nj",
		.country = "us",
		.topics = "[{\"urlkey\": \"x\", \"topic_name\": \"<X>\"}]",
		.venue = { 2, "Here", true, 40.7, -74.4 } };

	(void)state;
	v1_info_json(&out, &info);
	assert_golden(buf_str(&out.body), "v1-info.json");
	buf_clear(&out.body);
	memset(&info, 0, sizeof(info));
	info.venue.id = DETAILS_ABSENT;
	info.group.id = DETAILS_ABSENT;
	v1_info_json(&out, &info);
	assert_string_equal(buf_str(&out.body),
	    "{\"Group\":{\"group_id\":0,\"group_name\":\"\","
	    "\"group_country\":\"\",\"state\":\"\",\"city\":\"\","
	    "\"group_lat\":0,\"group_lon\":0,\"group_urlname\":\"\","
	    "\"topics\":[]},\"Venue\":null}\n");
	buf_free(&out.body);
}

static void
both_parameters_must_be_there(void **state)
{
	/* clang-format off */
	static const struct { const char *path, *query, *param; } cases[] = {
		{ "/api/v1/events/topk", "date=2017-03-19&k=5", NULL },
		{ "/api/v1/events/topk", "k=1000&date=2017-03-19", NULL },
		{ "/api/v1/events/topk", "date=2017-03-19", "k" },
		{ "/api/v1/events/topk", "k=5", "date" },
		{ "/api/v1/events/topk", "", "k" },
		{ "/api/v1/events/topk", "date=2017-03-19&k=1001", "k" },
		{ "/api/v1/events/topk", "date=2017-02-29&k=5", "date" },
		{ "/api/v1/events/topk", "date=2017-03-19&k=5&by=rsvps", "by" },
		{ "/api/v1/events/info", "event_id=%C3%A9%2F", NULL },
		{ "/api/v1/events/info", "event_id=", "event_id" },
		{ "/api/v1/events/info", "", "event_id" },
		{ "/api/v1/events/info", "id=5", "id" },
	};
	/* clang-format on */
	struct request_env env = { .method = "GET" };
	struct problem p;
	struct request r;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		env.document_uri = cases[i].path;
		env.query = cases[i].query;
		rc = request_parse(&r, &env, &p);
		if (rc != (cases[i].param == NULL ? 0 : -1))
			fail_msg("%s: %d", cases[i].query, rc);
		if (rc == 0)
			continue;
		assert_int_equal(p.status, 400);
		assert_string_equal(p.param, cases[i].param);
		assert_true(p.allowed[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_board_is_an_array_and_an_empty_one_too),
		cmocka_unit_test(what_is_absent_is_zero_but_a_venue_is_null),
		cmocka_unit_test(both_parameters_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
