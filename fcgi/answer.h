/*
 * What every answer tells of itself: when it was computed, how far behind the
 * stream it may be, and which state of the data it shows.  It comes from the
 * same statement, so from the same snapshot, as the rest of the answer.
 */
#ifndef TURNOUT_FCGI_ANSWER_H
#define TURNOUT_FCGI_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "fcgi/args.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "lib/db.h"

#define ANSWER_UNKNOWN (-1)

struct answer {
	int64_t as_of_ms;     /* wall clock of PostgreSQL */
	int64_t lag_messages; /* ANSWER_UNKNOWN: nothing read from a stream */
	int64_t lag_ms;	      /* the same */
	int64_t version;      /* grows: records applied and lines imported */
};

/* Bytes of a body that change by themselves: no part of the ETag. */
struct answer_gap {
	size_t from;
	size_t to; /* the first byte after it */
};

/*
 * One row, its columns first in every SELECT: use as
 * SELECT a.*, ... FROM ANSWER_SQL AS a LEFT JOIN ... ON ...
 * A partition that is read to its end is as old as the last look at that end;
 * any other is as old as the last record of it that was applied.
 */
/* clang-format off */
#define ANSWER_SQL \
	"(SELECT floor(clock.ms)::bigint AS as_of_ms," \
	" CASE WHEN bool_and(o.high_watermark IS NOT NULL)" \
	" THEN least(sum(greatest(o.high_watermark - o.next_offset, 0))," \
	" 9e15)::bigint END AS lag_messages," \
	" CASE WHEN bool_and(o.age IS NOT NULL)" \
	" THEN least(greatest(max(o.age), 0), 9e15)::bigint END AS lag_ms," \
	" (coalesce(sum(o.next_offset), 0) +" \
	" (SELECT coalesce(sum(i.lines), 0) FROM turnout.imports AS i)" \
	")::bigint AS version" \
	" FROM (SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms" \
	" OFFSET 0) AS clock" \
	" LEFT JOIN LATERAL (SELECT p.next_offset, p.high_watermark," \
	" CASE WHEN p.next_offset >= p.high_watermark" \
	" THEN clock.ms - extract(epoch FROM p.checked_at) * 1000" \
	" ELSE clock.ms - p.last_ts END AS age" \
	" FROM turnout.ingest_offsets AS p) AS o ON true" \
	" GROUP BY clock.ms)"
/* clang-format on */
#define ANSWER_COLUMNS 4

void answer_from_row(struct answer *, const PGresult *);
PGresult *answer_query(struct db *, const char *sql, const struct args *,
    int timeout_ms, enum fill *why) MUSTCHECK;
size_t answer_json(struct buf *, const struct answer *);
void answer_html(struct buf *, const struct answer *);
void answer_finish(struct response *, const struct answer *,
    const struct answer_gap *, size_t n);

#endif
