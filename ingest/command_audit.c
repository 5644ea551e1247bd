/*
 * turnout-ingest audit: counters, days and offsets against the rows, in one
 * REPEATABLE READ snapshot.  It takes no lock that a daemon waits for.
 */
#include "config.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/audit.h"
#include "ingest/command.h"
#include "ingest/difference.h"
#include "ingest/progress.h"
#include "ingest/slow.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "lib/xalloc.h"

#define EXIT_UNAVAILABLE 69 /* sysexits.h: EX_UNAVAILABLE */

/*
 * The daemon's role is held to index scans, by which whole tables take
 * minutes; these settings end with the transaction.
 */
static const char Q_SETTINGS[] =
    "SELECT set_config(name, value, true) FROM (VALUES"
    " ('enable_seqscan', 'on'), ('enable_hashjoin', 'on'),"
    " ('enable_mergejoin', 'on'), ('enable_bitmapscan', 'on'),"
    " ('jit', 'off'), ('work_mem', '128MB')) AS v (name, value)";

struct audit {
	struct slow *slow;
	struct progress progress;
	bool json, watch;
	long long interval_s;
	/* Of the round. */
	long long rsvps, wrong;
	/* From round to round. */
	char *offsets; /* JSON: what audit_keep gave; NULL = no round yet */
};

/* The whole statement of a check: looked at, differences, then a line each. */
static void
check_sql(struct buf *sql, const struct audit_check *c, bool json)
{
	buf_addf(sql,
	    "WITH wrong AS MATERIALIZED (%s), n AS (SELECT (%s) AS looked,"
	    " (SELECT count(*) FROM wrong) AS differences), lines AS"
	    " (SELECT %s AS line FROM wrong ORDER BY %s LIMIT " AUDIT_FIRST
	    ") SELECT looked, differences, ",
	    c->wrong, c->looked, json ? c->json : c->text, c->order);
	if (json)
		buf_addf(sql,
		    "json_build_object('check', '%s', 'looked_at', looked,"
		    " 'differences', differences, 'first', (SELECT"
		    " coalesce(json_agg(line), '[]') FROM lines)) FROM n",
		    c->name);
	else
		buf_adds(sql, "line FROM n LEFT JOIN lines ON true");
}

static void
print_check(struct audit *a, const struct audit_check *c, const PGresult *res,
    long long wrong)
{
	int r;

	progress_clear(&a->progress);
	if (a->json) {
		puts(PQgetvalue(res, 0, 2));
		return;
	}
	printf("%-12s %11s looked at, %lld difference%s\n", c->name,
	    PQgetvalue(res, 0, 0), wrong, wrong == 1 ? "" : "s");
	for (r = 0; r < PQntuples(res) && wrong > 0; r++)
		difference_print("  ", PQgetvalue(res, r, 2));
	if (wrong > PQntuples(res))
		printf("  and %lld more\n", wrong - PQntuples(res));
}

/* Returns 0, or -1 when it could not be asked. */
static int
check(struct audit *a, const struct audit_check *c)
{
	const char *const values[] = { a->offsets };
	struct buf sql = { 0 };
	PGresult *res;
	long long wrong;

	if (c->memory && a->offsets == NULL)
		return 0;
	a->progress.name = c->name;
	check_sql(&sql, c, a->json);
	res = slow_query(a->slow, buf_str(&sql), c->memory ? 1 : 0, values);
	buf_free(&sql);
	if (res == NULL)
		return -1;
	wrong = atoll(PQgetvalue(res, 0, 1));
	a->wrong += wrong;
	if (strcmp(c->name, "rsvps") == 0)
		a->rsvps = atoll(PQgetvalue(res, 0, 0));
	if (!a->watch || wrong > 0)
		print_check(a, c, res, wrong);
	PQclear(res);
	return 0;
}

/* Keeps the offsets of the round's snapshot for the next round. */
static int
keep_offsets(struct audit *a)
{
	PGresult *res = slow_query(a->slow, audit_keep, 0, NULL);

	if (res == NULL)
		return -1;
	free(a->offsets);
	a->offsets = xstrdup(PQgetvalue(res, 0, 0));
	PQclear(res);
	return 0;
}

static void
print_round(struct audit *a, int64_t wall_ms, int64_t took_ms)
{
	char iso[CLOCK_ISO_LEN];

	progress_clear(&a->progress);
	clock_iso(iso, wall_ms / 1000 * 1000);
	if (a->json)
		printf("{\"time\" : \"%s\", \"rsvps\" : %lld,"
		       " \"differences\" : %lld, \"ms\" : %lld}\n",
		    iso, a->rsvps, a->wrong, (long long)took_ms);
	else
		printf("%s: %lld RSVPs, %lld difference%s, %lld.%03lld s\n",
		    iso, a->rsvps, a->wrong, a->wrong == 1 ? "" : "s",
		    (long long)(took_ms / 1000), (long long)(took_ms % 1000));
	fflush(stdout);
}

/* All checks in one snapshot.  Returns 0, or -1: not all could be asked. */
static int
audit_round(struct audit *a)
{
	int64_t wall = clock_wall_ms(), start = clock_mono_ms();
	size_t i;

	a->rsvps = a->wrong = 0;
	progress_start(&a->progress, "audit", false);
	if (slow_exec(a->slow,
		"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") == -1 ||
	    slow_exec(a->slow, Q_SETTINGS) == -1)
		return -1;
	for (i = 0; i < audit_nchecks; i++)
		if (check(a, &audit_checks[i]) == -1)
			return -1;
	if ((a->watch && keep_offsets(a) == -1) ||
	    slow_exec(a->slow, "COMMIT") == -1)
		return -1;
	print_round(a, wall, clock_mono_ms() - start);
	return 0;
}

/* Once; the exit status. */
static int
audit_once(struct audit *a)
{
	if (audit_round(a) == 0)
		return a->wrong == 0 ? 0 : 1;
	progress_clear(&a->progress);
	if (stop_asked())
		log_warn("the audit was broken off");
	else
		log_error("PostgreSQL: %s", slow_errstr(a->slow));
	return EXIT_UNAVAILABLE;
}

/*
 * Again and again, until a signal; the exit status.  PostgreSQL may go and
 * come back; only what a person must see to (a right, the schema) ends it.
 */
static int
audit_watch(struct audit *a)
{
	struct log_trouble trouble = { .what = "PostgreSQL" };
	struct pollfd pfd = { .fd = stop_fd(), .events = POLLIN };
	bool seen_wrong = false, seen = false;

	while (!stop_asked()) {
		if (audit_round(a) == 0) {
			log_trouble_over(&trouble);
			seen = true;
			seen_wrong = seen_wrong || a->wrong > 0;
			poll(&pfd, 1, (int)a->interval_s * 1000);
		} else if (!stop_asked()) {
			progress_clear(&a->progress);
			if (slow_fault(a->slow) == DB_FAULT_STOP) {
				log_error(
				    "PostgreSQL: %s", slow_errstr(a->slow));
				return EXIT_UNAVAILABLE;
			}
			log_trouble(&trouble,
			    "PostgreSQL: %s; asking again each second",
			    slow_errstr(a->slow));
			slow_drop(a->slow);
			/* A crash may take back offsets, with their rows. */
			free(a->offsets);
			a->offsets = NULL;
			poll(&pfd, 1, 1000);
		}
	}
	progress_clear(&a->progress);
	if (!seen)
		log_warn("the audit was broken off in its first round");
	return !seen ? EXIT_UNAVAILABLE : seen_wrong ? 1 : 0;
}

static int
parse(struct audit *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "watch", no_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	optind = 0; /* glibc: start anew */
	while ((ch = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (ch == 'i') {
			if (!command_number(optarg, 1, 86400, &a->interval_s))
				return -1;
		} else if (ch == 'j')
			a->json = true;
		else if (ch == 'w')
			a->watch = true;
		else
			return -1;
	}
	return optind == argc ? 0 : -1;
}

/* audit [--watch [--interval SECONDS]] [--json] */
int
command_audit(const struct ingest_conf *conf, int argc, char **argv)
{
	struct audit a = { .interval_s = 1 };
	int status;

	if (parse(&a, argc, argv) == -1)
		return COMMAND_USAGE;
	a.slow = slow_open(conf, &a.progress);
	status = a.watch ? audit_watch(&a) : audit_once(&a);
	slow_close(a.slow);
	free(a.offsets);
	return status;
}
