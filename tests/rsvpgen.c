/*
 * rsvpgen: writes an RSVP stream like the real one to standard output.  See
 * rsvpgen.h; this file reads the options and keeps the pace.
 */
#include "config.h"

#include <sys/types.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/conf.h"
#include "tests/rsvpgen.h"

#define GROUP_US 20000
#define OUT_SIZE (1 << 20)
#define NATURAL_GAP_US 770000		 /* 1.3 messages a second */
#define DEFAULT_START_MS 1489924800000LL /* 2017-03-19T12:00:00Z */

struct options {
	struct rsvpgen_world world;
	long count; /* 0 = without end */
	long burst;
	long rate; /* messages a second; 0 = as fast as it goes */
	long bad;  /* percent */
};

static char out[OUT_SIZE];
static size_t out_len;
static volatile sig_atomic_t stopped;

static const char help[] =
    "NAME\n"
    "    rsvpgen - make an RSVP stream like the real one\n"
    "\n"
    "SYNOPSIS\n"
    "    rsvpgen [--count N] [--rate R] [--events E] [--seed S]\n"
    "            [--start TIME] [--burst N] [--bad PERCENT]\n"
    "\n"
    "DESCRIPTION\n"
    "    Writes one JSON message a line to standard output: sizes, re-sent\n"
    "    and rounded copies, changed minds, lateness, missing parts and odd\n"
    "    names in the ratios of real captures.  The same options give the\n"
    "    same bytes (but for --start now).\n"
    "\n"
    "OPTIONS\n"
    "    --count N      messages; 0 = until somebody stops it (0)\n"
    "    --rate R       messages a second, in mtime and in fact; without it\n"
    "                   as fast as it goes, 1.3 a second in mtime\n"
    "    --events E     events that there are, 1 to 100000000 (2000)\n"
    "    --seed S       another stream (1)\n"
    "    --start TIME   mtime of the first message: now, YYYY-MM-DDTHH:MM:SSZ\n"
    "                   or milliseconds since 1970 (2017-03-19T12:00:00Z)\n"
    "    --burst N      the first N messages at once, 1.3 a second in mtime,\n"
    "                   from before the start (0)\n"
    "    --bad PERCENT  of the messages that no consumer can take (0)\n"
    "\n"
    "EXIT STATUS\n"
    "    0, 1 when the output cannot be written, 64 for wrong usage\n";

static void
stop(int signo)
{
	(void)signo;
	stopped = 1;
}

/* Writes what is collected.  Returns 0, or -1 with errno. */
static int
flush(void)
{
	size_t done = 0;
	ssize_t n;

	while (done < out_len) {
		n = write(STDOUT_FILENO, out + done, out_len - done);
		if (n == -1 && errno == EINTR && stopped == 0)
			continue;
		if (n == -1)
			return -1;
		done += (size_t)n;
	}
	out_len = 0;
	return 0;
}

/*
 * Until message n of a paced stream is due; what is ready goes out first.  It
 * comes GROUP_US late, with those that are due by then: to wake up for each
 * of 1000 a second costs who sends them half a processor.
 */
static int
pace(const struct options *o, int64_t start_us, long n)
{
	struct timespec ts;
	int64_t due_us, left_us;

	due_us = start_us + (int64_t)((double)n * 1e6 / (double)o->rate);
	left_us = due_us - clock_mono_us();
	if (left_us <= 0)
		return 0;
	if (flush() == -1)
		return -1;
	due_us += GROUP_US;
	left_us += GROUP_US;
	while (left_us > 0 && stopped == 0) {
		ts.tv_sec = left_us / 1000000;
		ts.tv_nsec = (long)(left_us % 1000000) * 1000;
		nanosleep(&ts, NULL);
		left_us = due_us - clock_mono_us();
	}
	return 0;
}

/* Writes the stream.  Returns 0, or -1 with errno. */
static int
run(const struct options *o)
{
	struct rsvpgen_stream *s = NULL;
	struct rsvp r;
	uint64_t gap_us = NATURAL_GAP_US;
	int64_t start_us = clock_mono_us();
	int64_t from_ms = o->world.start_ms;
	long i;
	int rc = -1;

	if (o->burst > 0)
		from_ms -= (int64_t)o->burst * NATURAL_GAP_US / 1000;
	else if (o->rate > 0)
		gap_us = 1000000 / (uint64_t)o->rate;
	s = rsvpgen_stream_open(
	    &o->world, gap_us, from_ms, (uint64_t)o->bad * 10000);
	for (i = 0; (o->count == 0 || i < o->count) && stopped == 0; i++) {
		if (o->rate > 0 && i == o->burst)
			rsvpgen_stream_gap(s, 1000000 / (uint64_t)o->rate);
		if (o->rate > 0 && i >= o->burst &&
		    pace(o, start_us, i - o->burst) == -1)
			goto out;
		rsvpgen_stream_next(s, &r);
		out_len += rsvpgen_text(out + out_len, &o->world, &r);
		if (out_len > OUT_SIZE - RSVPGEN_LINE_MAX && flush() == -1)
			goto out;
	}
	if (flush() == -1)
		goto out;
	rc = 0;
out:
	rsvpgen_stream_close(s);
	return rc;
}

/* "now", RFC 3339 in UTC, or milliseconds.  Returns 0 or -1. */
static int
parse_start(int64_t *start_ms, const char *text)
{
	struct tm tm;
	const char *end;
	long n;

	if (strcmp(text, "now") == 0) {
		*start_ms = clock_wall_ms();
		return 0;
	}
	if (conf_number(&n, text, 946684800000, 4102444800000) == 0) {
		*start_ms = n;
		return 0;
	}
	memset(&tm, 0, sizeof(tm));
	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (end == NULL || *end != '\0')
		return -1;
	*start_ms = (int64_t)timegm(&tm) * 1000;
	return 0;
}

static int
parse_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "bad", required_argument, NULL, 'b' },
		{ "burst", required_argument, NULL, 'B' },
		{ "count", required_argument, NULL, 'c' },
		{ "events", required_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' },
		{ "rate", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "start", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	long n;
	int c;

	while ((c = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			exit(0);
		} else if (c == 't') {
			if (parse_start(&o->world.start_ms, optarg) == -1)
				return -1;
			continue;
		} else if (c == '?' ||
		    conf_number(&n, optarg, 0, 1000000000000) == -1)
			return -1;
		if (c == 'b' && n <= 100)
			o->bad = n;
		else if (c == 'B')
			o->burst = n;
		else if (c == 'c')
			o->count = n;
		else if (c == 'e' && n >= 1 && n <= 100000000)
			o->world.events = (uint64_t)n;
		else if (c == 'r' && n >= 1 && n <= 1000000)
			o->rate = n;
		else if (c == 's')
			o->world.seed = (uint64_t)n;
		else
			return -1;
	}
	return optind == argc ? 0 : -1;
}

int
main(int argc, char **argv)
{
	struct options o = {
		.world = { .seed = 1,
		    .events = 2000,
		    .start_ms = DEFAULT_START_MS },
	};
	struct sigaction sa;

	if (parse_options(&o, argc, argv) == -1) {
		fputs("usage: rsvpgen [--count N] [--rate R] [--events E] "
		      "[--seed S] [--start TIME]\n"
		      "               [--burst N] [--bad PERCENT]; "
		      "--help tells more\n",
		    stderr);
		return 64;
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = stop;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (run(&o) == 0)
		return 0;
	/* Whoever read us has had enough; that is no failure. */
	if (errno == EPIPE || (errno == EINTR && stopped != 0))
		return 0;
	fprintf(stderr, "rsvpgen: cannot write: %s\n", strerror(errno));
	return 1;
}
