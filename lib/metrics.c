/* Prometheus' text format from a table of counters; see metrics.h. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/metrics.h"

static const char *const types[] = { "counter", "gauge", "histogram" };

/* The family of a row: a histogram's buckets, sum and count share one. */
static size_t
family_len(const struct metric *m)
{
	static const char *const tails[] = { "_bucket", "_sum", "_count" };
	size_t n = strlen(m->name), i, t;

	if (m->type != METRIC_HISTOGRAM)
		return n;
	for (i = 0; i < 3; i++) {
		t = strlen(tails[i]);
		if (n > t && strcmp(m->name + n - t, tails[i]) == 0)
			return n - t;
	}
	return n;
}

/* value / scale in decimals, without locale; scale is a power of ten. */
static void
add_value(struct buf *b, int64_t value, int scale)
{
	uint64_t u = value < 0 ? -(uint64_t)value : (uint64_t)value;
	int digits = 0, s;

	if (value < 0)
		buf_addc(b, '-');
	if (scale <= 1) {
		buf_addf(b, "%" PRIu64, u);
		return;
	}
	for (s = scale; s > 1; s /= 10)
		digits++;
	buf_addf(b, "%" PRIu64 ".%0*" PRIu64, u / (uint64_t)scale, digits,
	    u % (uint64_t)scale);
}

/* Adds the n rows of the table with their values. */
void
metrics_render(
    struct buf *b, const struct metric *table, const int64_t *values, size_t n)
{
	const struct metric *m, *last = NULL;
	size_t i, len;

	for (i = 0; i < n; i++) {
		m = &table[i];
		len = family_len(m);
		if (last == NULL || family_len(last) != len ||
		    strncmp(last->name, m->name, len) != 0)
			buf_addf(b, "# HELP %.*s %s\n# TYPE %.*s %s\n",
			    (int)len, m->name, m->help, (int)len, m->name,
			    types[m->type]);
		last = m;
		buf_adds(b, m->name);
		if (m->labels != NULL)
			buf_addf(b, "{%s}", m->labels);
		buf_addc(b, ' ');
		add_value(b, values[i], m->scale);
		buf_addc(b, '\n');
	}
}

/* The same on one line, zeros and buckets left out: "name{labels}=3 ...". */
void
metrics_stats_line(
    struct buf *b, const struct metric *table, const int64_t *values, size_t n)
{
	size_t i, start = b->len;

	for (i = 0; i < n; i++) {
		if (values[i] == 0 || table[i].type == METRIC_HISTOGRAM)
			continue;
		if (b->len > start)
			buf_addc(b, ' ');
		buf_adds(b, table[i].name);
		if (table[i].labels != NULL)
			buf_addf(b, "{%s}", table[i].labels);
		buf_addc(b, '=');
		add_value(b, values[i], table[i].scale);
	}
}
