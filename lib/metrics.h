/*
 * Counters and gauges in Prometheus' text format.  A process has one static
 * table of what it counts and one array of values beside it, index by index.
 */
#ifndef TURNOUT_METRICS_H
#define TURNOUT_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct buf;

enum metric_type {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM, /* a row a bucket; labels must end in le="..." */
};

/*
 * Rows of one name must stand together; help and type are printed once, from
 * the first.  A value is an integer; scale divides it for printing (1000 for
 * a value kept in ms and told in seconds; 0 and 1 = as it is).
 */
struct metric {
	const char *name;
	const char *labels; /* kind="event", or NULL */
	enum metric_type type;
	int scale;
	const char *help;
};

void metrics_render(
    struct buf *, const struct metric *, const int64_t *values, size_t n);
void metrics_stats_line(
    struct buf *, const struct metric *, const int64_t *values, size_t n);

#endif
