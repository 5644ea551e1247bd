/* Prometheus' text format, to the byte. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/metrics.h"

/* clang-format off */
static const struct metric table[] = {
	{ "t_messages_total", NULL, METRIC_COUNTER, 0, "Messages read." },
	{ "t_dead_total", "reason=\"a\"", METRIC_COUNTER, 0, "Dead letters." },
	{ "t_dead_total", "reason=\"b\"", METRIC_COUNTER, 0, "Dead letters." },
	{ "t_lag_seconds", NULL, METRIC_GAUGE, 1000, "How late." },
	{ "t_took_seconds_bucket", "le=\"0.1\"", METRIC_HISTOGRAM, 0, "Time." },
	{ "t_took_seconds_bucket", "le=\"+Inf\"", METRIC_HISTOGRAM, 0, "Time." },
	{ "t_took_seconds_sum", NULL, METRIC_HISTOGRAM, 1000000, "Time." },
	{ "t_took_seconds_count", NULL, METRIC_HISTOGRAM, 0, "Time." },
};
/* clang-format on */
#define N (sizeof(table) / sizeof(table[0]))
static const int64_t values[N] = { 9007199254740993, 0, 3, -1500, 1, 2, 2000001,
	2 };

static void
a_family_is_introduced_once_and_numbers_are_exact(void **state)
{
	struct buf b = { 0 };

	(void)state;
	metrics_render(&b, table, values, N);
	assert_string_equal(buf_str(&b),
	    "# HELP t_messages_total Messages read.\n"
	    "# TYPE t_messages_total counter\n"
	    "t_messages_total 9007199254740993\n"
	    "# HELP t_dead_total Dead letters.\n"
	    "# TYPE t_dead_total counter\n"
	    "t_dead_total{reason=\"a\"} 0\n"
	    "t_dead_total{reason=\"b\"} 3\n"
	    "# HELP t_lag_seconds How late.\n"
	    "# TYPE t_lag_seconds gauge\n"
	    "t_lag_seconds -1.500\n"
	    "# HELP t_took_seconds Time.\n"
	    "# TYPE t_took_seconds histogram\n"
	    "t_took_seconds_bucket{le=\"0.1\"} 1\n"
	    "t_took_seconds_bucket{le=\"+Inf\"} 2\n"
	    "t_took_seconds_sum 2.000001\n"
	    "t_took_seconds_count 2\n");
	buf_free(&b);
}

static void
the_stats_line_leaves_zeros_out(void **state)
{
	struct buf b = { 0 };

	(void)state;
	metrics_stats_line(&b, table, values, N);
	assert_string_equal(buf_str(&b),
	    "t_messages_total=9007199254740993 t_dead_total{reason=\"b\"}=3 "
	    "t_lag_seconds=-1.500");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_family_is_introduced_once_and_numbers_are_exact),
		cmocka_unit_test(the_stats_line_leaves_zeros_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
