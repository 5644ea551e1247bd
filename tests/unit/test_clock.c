/* Days and times as people write them, read and written. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "lib/clock.h"

struct reading {
	const char *text;
	int64_t ms; /* -1: it is none */
};

/* What is refused leaves the number as it was. */
static void
all_read(int (*parse)(int64_t *, const char *), const struct reading *cases,
    size_t n)
{
	int64_t ms;
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		ms = -7;
		rc = parse(&ms, cases[i].text);
		if (rc != (cases[i].ms == -1 ? -1 : 0) ||
		    ms != (rc == -1 ? -7 : cases[i].ms))
			fail_msg(
			    "\"%s\": %d, %jd", cases[i].text, rc, (intmax_t)ms);
	}
}

static void
days_are_days_of_the_calendar(void **state)
{
	/* clang-format off */
	static const struct reading cases[] = {
		{ "1970-01-01", 0 }, { "1970-01-02", 86400000 },
		{ "2017-03-19", INT64_C(1489881600000) },
		{ "2000-02-29", INT64_C(951782400000) },
		{ "2016-02-29", INT64_C(1456704000000) },
		{ "9999-12-31", INT64_C(253402214400000) },
		{ "1969-12-31", -1 }, { "0000-01-01", -1 },
		{ "10000-01-01", -1 }, { "2017-02-29", -1 },
		{ "2100-02-29", -1 }, { "2017-04-31", -1 },
		{ "2017-00-10", -1 }, { "2017-13-10", -1 },
		{ "2017-01-00", -1 }, { "2017-01-32", -1 },
		{ "2017-1-01", -1 }, { "2017-01-1", -1 },
		{ "2017-01-011", -1 }, { "17-01-01", -1 },
		{ "2017/01/01", -1 }, { "20170101", -1 },
		{ " 2017-01-01", -1 }, { "2017-01-01 ", -1 },
		{ "+017-01-01", -1 }, { "-017-01-01", -1 },
		{ "2017-01-01Z", -1 }, { "2017-01-01T00:00:00Z", -1 },
		{ "2017-01", -1 }, { "2017-01-", -1 }, { "2017", -1 },
		{ "", -1 }, { "today", -1 }, { "2017-W11-7", -1 },
	};
	/* clang-format on */

	(void)state;
	all_read(clock_parse_day, cases, NITEMS(cases));
}

static void
times_are_those_of_rfc_3339(void **state)
{
	/* clang-format off */
	static const struct reading cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2017-03-19T12:30:00Z", INT64_C(1489926600000) },
		{ "2017-03-19t12:30:00z", INT64_C(1489926600000) },
		{ "2017-03-19T12:30:00.1Z", INT64_C(1489926600100) },
		{ "2017-03-19T12:30:00.12Z", INT64_C(1489926600120) },
		{ "2017-03-19T12:30:00.123Z", INT64_C(1489926600123) },
		{ "2017-03-19T12:30:00.001Z", INT64_C(1489926600001) },
		{ "2017-03-19T13:30:00+01:00", INT64_C(1489926600000) },
		{ "2017-03-19T07:00:00-05:30", INT64_C(1489926600000) },
		{ "2017-03-19T12:30:00-00:00", INT64_C(1489926600000) },
		{ "2017-03-19T00:00:00+23:59", INT64_C(1489795260000) },
		{ "9999-12-31T23:59:59.999Z", INT64_C(253402300799999) },
		{ "9999-12-31T23:59:59-00:01", -1 },
		{ "1970-01-01T00:00:00+00:01", -1 },
		{ "2017-03-19T12:30:00.1234Z", -1 },
		{ "2017-03-19T12:30:00.Z", -1 }, { "2017-03-19T12:30:00,1Z", -1 },
		{ "2017-03-19T12:30:60Z", -1 }, { "2017-03-19T12:60:00Z", -1 },
		{ "2017-03-19T24:00:00Z", -1 }, { "2017-02-29T12:30:00Z", -1 },
		{ "2017-03-19 12:30:00Z", -1 }, { "2017-03-19T12:30Z", -1 },
		{ "2017-03-19T12:30:00", -1 }, { "2017-03-19T12:30:00 01:00", -1 },
		{ "2017-03-19T12:30:00+0100", -1 }, { "2017-03-19T12:30:00+01", -1 },
		{ "2017-03-19T12:30:00+24:00", -1 }, { "2017-03-19T12:30:00+01:60", -1 },
		{ "2017-03-19T12:30:00ZZ", -1 }, { "2017-03-19T12:30:00Z ", -1 },
		{ "2017-03-19T12:30:00GMT", -1 }, { "2017-03-19T1:30:00Z", -1 },
		{ "2017-03-19", -1 }, { "2017-03-19T", -1 }, { "1489926600000", -1 },
		{ "2017-03-19T-1:30:00Z", -1 }, { "", -1 }, { "now", -1 },
	};
	/* clang-format on */

	(void)state;
	all_read(clock_parse_time, cases, NITEMS(cases));
}

/* Every day, at one of its times: the C library is the judge. */
static void
what_is_written_is_read_back(void **state)
{
	char iso[CLOCK_ISO_LEN], text[CLOCK_ISO_LEN];
	int64_t ms, got;
	struct tm tm;
	time_t t;

	(void)state;
	for (ms = 0; ms <= CLOCK_MAX_MS; ms += CLOCK_DAY_MS + 7654321) {
		clock_iso(iso, ms);
		assert_int_equal(clock_parse_time(&got, iso), 0);
		if (got != ms)
			fail_msg("%s: %jd", iso, (intmax_t)(got - ms));
		t = (time_t)(ms / 1000);
		gmtime_r(&t, &tm);
		strftime(text, sizeof(text), "%Y-%m-%d", &tm);
		assert_int_equal(clock_parse_day(&got, text), 0);
		assert_true(got == ms - ms % CLOCK_DAY_MS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_days_of_the_calendar),
		cmocka_unit_test(times_are_those_of_rfc_3339),
		cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
