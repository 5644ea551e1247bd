/*
 * turnout-ingest recount: counters and days made anew from the rows, a slice
 * of events a transaction.  Nothing is kept on the way: one that was killed
 * is started again, and finds the first slices right.
 */
#include "config.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/command.h"
#include "ingest/difference.h"
#include "ingest/progress.h"
#include "ingest/slow.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "lib/xalloc.h"

#define EXIT_USAGE 64	    /* sysexits.h: EX_USAGE */
#define EXIT_UNAVAILABLE 69 /* EX_UNAVAILABLE */

/* Events of a slice: writers wait for its transaction, some 20 ms, and a
 * quarter of one more for each of their days that has hours. */
#define SLICE "1000"

/* clang-format off */
static const char Q_SETTINGS[] =
    "SELECT set_config(name, value, false) FROM (VALUES"
    " ('enable_hashjoin', 'on'), ('enable_mergejoin', 'on'), ('jit', 'off'),"
    /* What was told as repaired is to stay so. */
    " ('synchronous_commit', 'on'), ('timezone', 'UTC'),"
    " ('datestyle', 'ISO')) AS v (name, value)";

static const char Q_TOTAL[] = "SELECT count(*) FROM turnout.event_counts";

/* The next slice after event $1 (NULL = the first), as an array. */
static const char Q_NEXT[] =
    "SELECT array_agg(event_id ORDER BY event_id), count(*), max(event_id)"
    " FROM (SELECT event_id FROM ("
    "(SELECT event_id FROM turnout.event_counts"
    " WHERE event_id > coalesce($1, '') ORDER BY 1 LIMIT " SLICE ") UNION "
    "(SELECT DISTINCT event_id FROM turnout.event_days"
    " WHERE event_id > coalesce($1, '') ORDER BY 1 LIMIT " SLICE ") UNION "
    "(SELECT DISTINCT event_id FROM turnout.rsvps WHERE response = 'yes'"
    " AND event_id > coalesce($1, '') ORDER BY 1 LIMIT " SLICE ")) AS u"
    " ORDER BY 1 LIMIT " SLICE ") AS slice";

/*
 * The events that anything happened to since $1.  An RSVP that is no longer
 * yes counts, too: its event may be short of a decrement.  No index knows
 * these, so they are found once, and kept by the server.
 */
static const char Q_SINCE[] =
    "DECLARE since CURSOR WITH HOLD FOR"
    " SELECT array_agg(event_id ORDER BY event_id), count(*), max(event_id)"
    " FROM (SELECT event_id, (row_number() OVER (ORDER BY event_id) - 1)"
    " / " SLICE " AS slice FROM (SELECT event_id FROM turnout.rsvps"
    " WHERE mtime_ms >= %lld UNION SELECT event_id FROM turnout.event_days"
    " WHERE day >= turnout.mtime_day(%lld)) AS u) AS s"
    " GROUP BY slice ORDER BY slice";
static const char Q_FETCH[] = "FETCH FROM since";

static const char Q_PARSE_TIME[] =
    "SELECT greatest(floor(extract(epoch FROM $1::timestamptz) * 1000),"
    " 0)::bigint";

/* What differs, or differed: a line each, and whether it is a day's. */
static const char Q_SLICE[] =
    "SELECT day IS NOT NULL, %s FROM turnout.%s($1::text[])"
    " ORDER BY event_id, day NULLS FIRST";
#define ROW \
	"json_strip_nulls(json_build_object('event_id', event_id, 'day', day))"
#define COUNTS(which, other) \
	"CASE WHEN day IS NULL THEN " \
	DIFFERENCE_EVENT(which "_rsvps", which "_headcount", which "_first", \
	    which "_last") \
	" ELSE " DIFFERENCE_DAY(which "_rsvps", which "_headcount", \
	    which "_hours", other "_hours") " END"
#define EXPECTED COUNTS("expected", "found")
#define FOUND COUNTS("found", "expected")
/* clang-format on */

struct recount {
	struct slow *slow;
	struct progress progress;
	struct progress_count count;
	struct buf sql; /* Q_SLICE, filled in */
	bool json, verify;
	const char *event; /* only this; NULL = all */
	const char *since; /* only those with something new; NULL = all */
	char *last;	   /* event that the last slice ended with */
	long long counts, days;
};

/* Tells why there is no result; always EXIT_UNAVAILABLE. */
static int
give_up(struct recount *rc)
{
	progress_clear(&rc->progress);
	if (stop_asked())
		log_warn("the recount was broken off after %lld events; "
			 "started again it does the rest",
		    (long long)rc->count.done);
	else
		log_error("PostgreSQL: %s", slow_errstr(rc->slow));
	return EXIT_UNAVAILABLE;
}

/* Settings, how much there is to do, and for --since which; exit status. */
static int
begin(struct recount *rc)
{
	struct buf sql = { 0 };
	PGresult *res;
	long long since;
	int failed;

	if (slow_exec(rc->slow, Q_SETTINGS) == -1)
		return give_up(rc);
	if (rc->event != NULL)
		return 0;
	if (rc->since == NULL) {
		if ((res = slow_query(rc->slow, Q_TOTAL, 0, NULL)) == NULL)
			return give_up(rc);
		rc->count.whole = atoll(PQgetvalue(res, 0, 0));
		PQclear(res);
		return 0;
	}
	res = slow_query(rc->slow, Q_PARSE_TIME, 1, &rc->since);
	if (res == NULL) {
		failed = give_up(rc);
		/* What failed is the text, not the server. */
		return slow_fault(rc->slow) == DB_FAULT_RECORD ? EXIT_USAGE
							       : failed;
	}
	since = atoll(PQgetvalue(res, 0, 0));
	PQclear(res);
	buf_addf(&sql, Q_SINCE, since, since);
	failed = slow_exec(rc->slow, buf_str(&sql));
	buf_free(&sql);
	return failed == -1 ? give_up(rc) : 0;
}

/* The next slice: a row of (events as an array, how many, the last). */
static PGresult *
next_slice(struct recount *rc)
{
	const char *const last[] = { rc->last };

	if (rc->event != NULL)
		return slow_query(
		    rc->slow, "SELECT ARRAY[$1::text], 1, $1", 1, &rc->event);
	if (rc->since != NULL)
		return slow_query(rc->slow, Q_FETCH, 0, NULL);
	return slow_query(rc->slow, Q_NEXT, 1, last);
}

/* A writer may hold the lock for long, or be the other half of a deadlock. */
static PGresult *
ask_slice(struct recount *rc, const char *events)
{
	struct log_trouble trouble = { .what = "PostgreSQL" };
	struct pollfd pfd = { .fd = stop_fd(), .events = POLLIN };
	PGresult *res;

	while ((res = slow_query(rc->slow, buf_str(&rc->sql), 1, &events)) ==
	    NULL) {
		if (stop_asked() || slow_fault(rc->slow) != DB_FAULT_RETRY)
			return NULL;
		progress_clear(&rc->progress);
		log_trouble(&trouble, "PostgreSQL: %s; asking again",
		    slow_errstr(rc->slow));
		poll(&pfd, 1, 1000);
	}
	log_trouble_over(&trouble);
	return res;
}

/* Repairs, or only compares, these events.  Returns 0 or -1. */
static int
do_slice(struct recount *rc, const char *events)
{
	PGresult *res = ask_slice(rc, events);
	int r;

	if (res == NULL)
		return -1;
	if (PQntuples(res) > 0)
		progress_clear(&rc->progress);
	for (r = 0; r < PQntuples(res); r++) {
		if (PQgetvalue(res, r, 0)[0] == 't')
			rc->days++;
		else
			rc->counts++;
		difference_print("", PQgetvalue(res, r, 1));
	}
	PQclear(res);
	return 0;
}

/* Slice by slice.  Returns 0, or -1: not all could be done. */
static int
do_all(struct recount *rc)
{
	PGresult *res;
	long long n;

	while ((res = next_slice(rc)) != NULL) {
		n = PQntuples(res) == 0 ? 0 : atoll(PQgetvalue(res, 0, 1));
		if (n == 0) {
			PQclear(res);
			return 0;
		}
		if (do_slice(rc, PQgetvalue(res, 0, 0)) == -1) {
			PQclear(res);
			return -1;
		}
		free(rc->last);
		rc->last = xstrdup(PQgetvalue(res, 0, 2));
		PQclear(res);
		rc->count.done += n;
		rc->count.at = rc->count.done;
		if (rc->event != NULL)
			return 0;
		progress_count(&rc->progress, &rc->count, false);
	}
	return -1;
}

static void
print_end(struct recount *rc, int64_t took_ms)
{
	progress_clear(&rc->progress);
	if (rc->json)
		printf("{\"events\" : %lld, \"counts\" : %lld,"
		       " \"days\" : %lld, \"repaired\" : %s, \"ms\" : %lld}\n",
		    (long long)rc->count.done, rc->counts, rc->days,
		    rc->verify ? "false" : "true", (long long)took_ms);
	else
		printf("%lld event%s, %s: %lld count%s and %lld day%s,"
		       " %lld.%03lld s\n",
		    (long long)rc->count.done, rc->count.done == 1 ? "" : "s",
		    rc->verify ? "would be repaired" : "repaired", rc->counts,
		    rc->counts == 1 ? "" : "s", rc->days,
		    rc->days == 1 ? "" : "s", (long long)(took_ms / 1000),
		    (long long)(took_ms % 1000));
	fflush(stdout);
}

/* The exit status. */
static int
recount(struct recount *rc)
{
	int status;

	buf_addf(&rc->sql, Q_SLICE,
	    rc->json ? DIFFERENCE_JSON(ROW, EXPECTED, FOUND)
		     : DIFFERENCE_TEXT(ROW, EXPECTED, FOUND),
	    rc->verify ? "recount_differences" : "recount");
	progress_start(&rc->progress, "recount", false);
	if ((status = begin(rc)) != 0)
		return status;
	if (do_all(rc) == -1)
		return give_up(rc);
	print_end(rc, clock_mono_ms() - rc->progress.start_ms);
	return rc->verify && rc->counts + rc->days > 0 ? 1 : 0;
}

static int
parse(struct recount *rc, int argc, char **argv)
{
	static const struct option options[] = {
		{ "event", required_argument, NULL, 'e' },
		{ "json", no_argument, NULL, 'j' },
		{ "since", required_argument, NULL, 's' },
		{ "verify", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	optind = 0; /* glibc: start anew */
	while ((ch = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (ch) {
		case 'e':
			rc->event = optarg;
			break;
		case 'j':
			rc->json = true;
			break;
		case 's':
			rc->since = optarg;
			break;
		case 'v':
			rc->verify = true;
			break;
		default:
			return -1;
		}
	}
	if (rc->event != NULL && rc->since != NULL)
		return -1;
	return optind == argc ? 0 : -1;
}

/* recount [--verify] [--event ID | --since TIME] [--json] */
int
command_recount(const struct ingest_conf *conf, int argc, char **argv)
{
	struct recount rc = { .count = { .unit = "events" } };
	int status;

	if (parse(&rc, argc, argv) == -1)
		return COMMAND_USAGE;
	rc.slow = slow_open(conf, NULL);
	status = recount(&rc);
	slow_close(rc.slow);
	buf_free(&rc.sql);
	free(rc.last);
	return status;
}
