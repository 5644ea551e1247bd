/* What turnout-ingest counts; see counters.h. */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "ingest/counters.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/metrics.h"

#define P "turnout_ingest_"

/* clang-format off */
static const struct metric table[COUNTERS] = {
	[COUNT_MESSAGES] = { P "messages_total", NULL, METRIC_COUNTER, 0, "Records that were applied or became dead letters." },
	[COUNT_BATCHES] = { P "batches_total", NULL, METRIC_COUNTER, 0, "Transactions that were committed." },
	[COUNT_ROWS_CHANGED] = { P "rows_changed_total", NULL, METRIC_COUNTER, 0, "RSVP rows inserted or replaced by a newer version." },
	[COUNT_DETAILS_EVENT] = { P "details_changed_total", "kind=\"event\"", METRIC_COUNTER, 0, "Details that replaced different ones." },
	[COUNT_DETAILS_GROUP] = { P "details_changed_total", "kind=\"group\"", METRIC_COUNTER, 0, "Details that replaced different ones." },
	[COUNT_DETAILS_VENUE] = { P "details_changed_total", "kind=\"venue\"", METRIC_COUNTER, 0, "Details that replaced different ones." },
	[COUNT_DETAILS_MEMBER] = { P "details_changed_total", "kind=\"member\"", METRIC_COUNTER, 0, "Details that replaced different ones." },
	[COUNT_RETRIES] = { P "retries_total", NULL, METRIC_COUNTER, 0, "Transactions that were tried again." },
	[COUNT_FENCED] = { P "fenced_total", NULL, METRIC_COUNTER, 0, "Batches given up because another daemon had moved the offset." },
	[COUNT_COMMITTED] = { P "resolved_total", "outcome=\"committed\"", METRIC_COUNTER, 0, "Commits of unknown outcome, resolved from the database." },
	[COUNT_NOT_COMMITTED] = { P "resolved_total", "outcome=\"not_committed\"", METRIC_COUNTER, 0, "Commits of unknown outcome, resolved from the database." },
	[COUNT_STALE] = { P "stale_records_total", NULL, METRIC_COUNTER, 0, "Records dropped because their partition was no longer ours or they were applied before." },
	[COUNT_PARTITIONS] = { P "partitions", NULL, METRIC_GAUGE, 0, "Partitions that are being read." },
	[COUNT_STOPPED] = { P "partitions_stopped", NULL, METRIC_GAUGE, 0, "Partitions that wait for the operator." },
	[COUNT_LAG_MESSAGES] = { P "lag_messages", NULL, METRIC_GAUGE, 0, "Records in the partitions that are not applied yet." },
	[COUNT_LAG_SECONDS] = { P "lag_seconds", NULL, METRIC_GAUGE, 1000, "Age of the record that was read last, in the partition that is furthest behind; 0 when nothing waits." },
	[COUNT_END_AGE] = { P "end_age_seconds", NULL, METRIC_GAUGE, 1000, "How long ago the brokers told the end of a partition that the lag is counted to, of the oldest." },
	[COUNT_BATCH_MESSAGES] = { P "batch_messages", NULL, METRIC_GAUGE, 0, "Records in the last batch." },
	[COUNT_DB_UP] = { P "db_up", NULL, METRIC_GAUGE, 0, "1 when the last transaction worked." },
	[COUNT_LOG_DROPPED] = { P "log_lines_dropped_total", NULL, METRIC_COUNTER, 0, "Log lines that stderr did not take." },
	[COUNT_BUILD] = { P "build_info", "version=\"" PACKAGE_VERSION "\"", METRIC_GAUGE, 0, "1, with the version." },
};
/* clang-format on */

static _Atomic int64_t values[COUNTERS];

/*
 * Dead letters by reason. The codes are made of a reason and a field, or of an
 * SQLSTATE, so there are not many; what does not fit counts as "other".
 */
#define REASONS_MAX 128

static pthread_mutex_t reasons_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	char labels[64];
	int64_t n;
} reasons[REASONS_MAX + 1];
static int nreasons;

static int
reason_row(const char *reason)
{
	char labels[64];
	int i;

	snprintf(labels, sizeof(labels), "reason=\"%.48s\"", reason);
	for (i = 0; i < nreasons; i++)
		if (strcmp(reasons[i].labels, labels) == 0)
			return i;
	if (nreasons == REASONS_MAX)
		snprintf(labels, sizeof(labels), "reason=\"other\"");
	else
		nreasons++;
	memcpy(reasons[i].labels, labels, sizeof(labels));
	return i;
}

/* Counts one dead letter under its reason code. */
void
count_dead_letter(const char *reason)
{
	pthread_mutex_lock(&reasons_lock);
	reasons[reason_row(reason)].n++;
	pthread_mutex_unlock(&reasons_lock);
}

/* How many there were, for all reasons. */
int64_t
count_dead_letters(void)
{
	int64_t n = 0;
	int i;

	pthread_mutex_lock(&reasons_lock);
	for (i = 0; i <= REASONS_MAX; i++)
		n += reasons[i].n;
	pthread_mutex_unlock(&reasons_lock);
	return n;
}

static void
render_reasons(struct buf *b)
{
	struct metric row = { P "dead_letters_total", NULL, METRIC_COUNTER, 0,
		"Records that were no valid message, by reason." };
	struct metric rows[REASONS_MAX + 1];
	int64_t counts[REASONS_MAX + 1];
	size_t n = 0;
	int i;

	pthread_mutex_lock(&reasons_lock);
	for (i = 0; i <= REASONS_MAX; i++) {
		if (reasons[i].n == 0)
			continue;
		rows[n] = row;
		rows[n].labels = reasons[i].labels;
		counts[n++] = reasons[i].n;
	}
	pthread_mutex_unlock(&reasons_lock);
	metrics_render(b, rows, counts, n);
}

void
count_add(enum counter c, int64_t n)
{
	atomic_fetch_add(&values[c], n);
}

void
count_set(enum counter c, int64_t n)
{
	atomic_store(&values[c], n);
}

int64_t
count_get(enum counter c)
{
	return atomic_load(&values[c]);
}

static void
snapshot(int64_t out[COUNTERS])
{
	int i;

	count_set(COUNT_LOG_DROPPED, (int64_t)log_dropped());
	count_set(COUNT_BUILD, 1);
	for (i = 0; i < COUNTERS; i++)
		out[i] = count_get((enum counter)i);
}

/* Adds Prometheus' text. */
void
counters_render(struct buf *b)
{
	int64_t now[COUNTERS];

	snapshot(now);
	metrics_render(b, table, now, COUNTERS);
	render_reasons(b);
}

/* Adds the same on one line, zeros left out. */
void
counters_stats_line(struct buf *b)
{
	int64_t now[COUNTERS];

	snapshot(now);
	metrics_stats_line(b, table, now, COUNTERS);
	buf_addf(b, " " P "dead_letters_total=%lld",
	    (long long)count_dead_letters());
}
