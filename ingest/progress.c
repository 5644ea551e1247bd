/* How far a command of the operator is; see progress.h. */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "ingest/progress.h"
#include "lib/clock.h"

#define TTY_MS 200
#define LOG_MS 10000

/* name is borrowed. */
void
progress_start(struct progress *p, const char *name, bool quiet)
{
	p->name = name;
	p->quiet = quiet;
	p->tty = isatty(STDERR_FILENO) == 1;
	p->shown = false;
	p->start_ms = p->said_ms = clock_mono_ms();
}

/* Whether a line is to be written now; then the next is due later. */
static bool
due(struct progress *p, bool last)
{
	int64_t now = clock_mono_ms();

	if (p->quiet ||
	    (!last && now - p->said_ms < (p->tty ? TTY_MS : LOG_MS)))
		return false;
	p->said_ms = now;
	return true;
}

static int64_t
took_ms(const struct progress *p)
{
	return p->said_ms > p->start_ms ? p->said_ms - p->start_ms : 1;
}

static void
begin_line(struct progress *p)
{
	fprintf(stderr, "%s%s: ", p->tty ? "\r" : "", p->name);
}

static void
end_line(struct progress *p, bool last)
{
	if (p->tty)
		fputs("\033[K", stderr); /* the rest of a longer line */
	if (!p->tty || last)
		fputs("\n", stderr);
	p->shown = p->tty && !last;
}

/* Tells the count, its rate and what is left, if it is time, or the last. */
void
progress_count(struct progress *p, const struct progress_count *c, bool last)
{
	if (!due(p, last))
		return;
	begin_line(p);
	fprintf(stderr, "%lld %s, %lld/s", (long long)c->done, c->unit,
	    (long long)(c->done * 1000 / took_ms(p)));
	if (c->whole > 0)
		fprintf(stderr, ", %lld%%",
		    (long long)(c->at < c->whole ? c->at * 100 / c->whole
						 : 100));
	if (!last && c->at > 0 && c->at < c->whole)
		fprintf(stderr, ", %lld s left",
		    (long long)((c->whole - c->at) * took_ms(p) / c->at /
			1000));
	end_line(p, last);
}

/* Tells how long it takes already, if it is time. */
void
progress_seconds(struct progress *p)
{
	if (!due(p, false))
		return;
	begin_line(p);
	fprintf(stderr, "%lld s", (long long)(took_ms(p) / 1000));
	end_line(p, false);
}

/* Makes room on the terminal for other text. */
void
progress_clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
