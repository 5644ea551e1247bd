/* What every answer tells of itself; see answer.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "fcgi/answer.h"
#include "fcgi/html.h"
#include "fcgi/json.h"
#include "fcgi/words.h"
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

/* Nothing waits, as of when the end was seen; after so long that is no news. */
#define SEEN_OLD_MS 5000

static void
add_lag(struct buf *b, const struct answer *a)
{
	const int64_t n = a->lag_messages;
	struct buf span = { 0 };
	char number[WORDS_NUMBER_LEN];

	if (a->lag_ms != ANSWER_UNKNOWN)
		words_span(&span, a->lag_ms);
	if (n == ANSWER_UNKNOWN)
		buf_adds(b, word(W_LAG_UNKNOWN));
	else if (n == 0)
		words_add(b,
		    a->lag_ms == ANSWER_UNKNOWN	   ? W_LAG_NONE
			: a->lag_ms <= SEEN_OLD_MS ? W_LAG_NONE_SEEN
						   : W_LAG_NONE_OLD,
		    buf_str(&span), NULL);
	else
		words_add(b,
		    words_form(a->lag_ms == ANSWER_UNKNOWN ? W_LAG_ONE
							   : W_LAG_BEHIND_ONE,
			n),
		    words_number(number, n), buf_str(&span), NULL);
	buf_free(&span);
}

/* Adds the paragraph that tells the same in words. */
void
answer_html(struct buf *b, const struct answer *a)
{
	struct buf time = { 0 }, lag = { 0 };

	html_moment(&time, a->as_of_ms);
	add_lag(&lag, a);
	buf_adds(b, "<p class=\"as-of\">");
	words_add(b, W_AS_OF, buf_str(&time), buf_str(&lag), NULL);
	buf_adds(b, "</p>\n");
	buf_free(&time);
	buf_free(&lag);
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
