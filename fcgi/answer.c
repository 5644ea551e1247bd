/* What every answer tells of itself; see answer.h. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "fcgi/answer.h"
#include "fcgi/html.h"
#include "fcgi/json.h"
#include "lib/buf.h"
#include "lib/clock.h"

#define QUERY_CANCELED "57014" /* by the role's statement_timeout */

static int64_t
number(const PGresult *res, int column)
{
	if (PQgetisnull(res, 0, column))
		return ANSWER_UNKNOWN;
	return strtoll(PQgetvalue(res, 0, column), NULL, 10);
}

/* Reads the columns of ANSWER_SQL from the first row. */
void
answer_from_row(struct answer *a, const PGresult *res)
{
	a->as_of_ms = number(res, 0);
	a->lag_messages = number(res, 1);
	a->lag_ms = number(res, 2);
	a->version = number(res, 3);
}

/*
 * Asks one statement.  NULL: *why says what the answer to the client is.
 */
PGresult *
answer_query(struct db *db, const char *sql, const struct args *args,
    int timeout_ms, enum fill *why)
{
	const struct db_params params = { .n = args->n,
		.values = args->values };
	enum db_fault fault;
	PGresult *res;

	if ((res = db_query(db, sql, &params, timeout_ms)) != NULL)
		return res;
	fault = db_fault(db);
	if (strcmp(db_sqlstate(db), QUERY_CANCELED) == 0)
		*why = FILL_SLOW;
	else if (fault == DB_FAULT_LOST || fault == DB_FAULT_RETRY)
		*why = FILL_AWAY;
	else
		*why = FILL_BUG;
	return NULL;
}

/* "2017-03-19T12:30:00.000Z": always with milliseconds. */
static void
add_as_of(struct buf *b, int64_t ms)
{
	char iso[CLOCK_ISO_LEN];

	clock_iso(iso, ms);
	if (strchr(iso, '.') == NULL && iso[0] != '\0') {
		buf_add(b, iso, strlen(iso) - 1);
		buf_adds(b, ".000Z");
	} else {
		buf_adds(b, iso);
	}
}

/*
 * Adds the members as_of, lag, version, and the name of stale without its
 * value; returns the place of that value.
 */
size_t
answer_json(struct buf *b, const struct answer *a)
{
	buf_adds(b, "\"as_of\":\"");
	add_as_of(b, a->as_of_ms);
	buf_adds(b, "\",\"lag\":{\"messages\":");
	if (a->lag_messages == ANSWER_UNKNOWN)
		buf_adds(b, "null");
	else
		json_int(b, a->lag_messages);
	buf_adds(b, ",\"seconds\":");
	if (a->lag_ms == ANSWER_UNKNOWN)
		buf_adds(b, "null");
	else
		json_double(b, (double)a->lag_ms / 1000);
	buf_adds(b, "},\"version\":");
	json_int(b, a->version);
	buf_adds(b, ",\"stale\":");
	return b->len;
}

/* "0.4 s", "12 min", "5 h", "3 days": no finer than a person wants. */
static void
add_span(struct buf *b, int64_t ms)
{
	const int64_t minute = 60000, hour = 60 * minute, day = 24 * hour;

	if (ms < 10000)
		buf_addf(
		    b, "%d.%d s", (int)(ms / 1000), (int)(ms % 1000 / 100));
	else if (ms < 2 * minute)
		buf_addf(b, "%d s", (int)(ms / 1000));
	else if (ms < 2 * hour)
		buf_addf(b, "%d min", (int)(ms / minute));
	else if (ms < 2 * day)
		buf_addf(b, "%d h", (int)(ms / hour));
	else
		buf_addf(b, "%" PRId64 " days", ms / day);
}

static void
add_lag(struct buf *b, const struct answer *a)
{
	if (a->lag_messages == ANSWER_UNKNOWN) {
		buf_adds(b, "How far this is behind the stream is not known.");
	} else if (a->lag_messages == 0) {
		buf_adds(b, "Every message of the stream is counted");
		if (a->lag_ms != ANSWER_UNKNOWN) {
			buf_adds(b, "; its end was last seen ");
			add_span(b, a->lag_ms);
			buf_adds(b, " earlier");
		}
		buf_adds(b, ".");
	} else {
		buf_addf(b, "%" PRId64 " %s of the stream %s not counted yet",
		    a->lag_messages,
		    a->lag_messages == 1 ? "message" : "messages",
		    a->lag_messages == 1 ? "is" : "are");
		if (a->lag_ms != ANSWER_UNKNOWN) {
			buf_adds(b, "; this is ");
			add_span(b, a->lag_ms);
			buf_adds(b, " behind");
		}
		buf_adds(b, ".");
	}
}

/* Adds the paragraph that tells the same in words. */
void
answer_html(struct buf *b, const struct answer *a)
{
	buf_adds(b, "<p class=\"as-of\">As of ");
	html_time(b, a->as_of_ms);
	buf_adds(b, ". ");
	add_lag(b, a);
	buf_adds(b, "</p>\n");
}

/*
 * Completes a response whose body stands: as_of, and an ETag over all of the
 * body but n gaps, in the order in which they stand.
 */
void
answer_finish(struct response *out, const struct answer *a,
    const struct answer_gap *gaps, size_t n)
{
	const char *body = buf_str(&out->body);
	uint64_t etag = 0;
	size_t at = 0, i;

	for (i = 0; i < n; i++) {
		etag = XXH3_64bits_withSeed(body + at, gaps[i].from - at, etag);
		at = gaps[i].to;
	}
	etag = XXH3_64bits_withSeed(body + at, out->body.len - at, etag);
	out->status = 200;
	out->as_of_ms = a->as_of_ms;
	out->etag = etag == 0 ? 1 : etag; /* 0 says that there is none */
}
