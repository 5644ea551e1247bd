/* What turnout-ingest counts; one table, told at /metrics and in the log. */
#ifndef TURNOUT_INGEST_COUNTERS_H
#define TURNOUT_INGEST_COUNTERS_H

#include <stdint.h>

enum counter {
	COUNT_MESSAGES,
	COUNT_BATCHES,
	COUNT_ROWS_CHANGED,
	COUNT_DETAILS_EVENT, /* in the order of enum detail_kind */
	COUNT_DETAILS_GROUP,
	COUNT_DETAILS_VENUE,
	COUNT_DETAILS_MEMBER,
	COUNT_RETRIES,
	COUNT_FENCED,
	COUNT_COMMITTED,
	COUNT_NOT_COMMITTED,
	COUNT_STALE,
	COUNT_PARTITIONS,
	COUNT_STOPPED,
	COUNT_LAG_MESSAGES,
	COUNT_LAG_SECONDS,
	COUNT_END_AGE,
	COUNT_BATCH_MESSAGES,
	COUNT_DB_UP,
	COUNT_LOG_DROPPED,
	COUNT_BUILD,
	COUNTERS
};

struct buf;

void count_dead_letter(const char *reason);
int64_t count_dead_letters(void);
void count_add(enum counter, int64_t);
void count_set(enum counter, int64_t);
int64_t count_get(enum counter);
void counters_render(struct buf *);
void counters_stats_line(struct buf *);

#endif
