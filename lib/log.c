/* The log; see log.h.  Text from outside is escaped before it is written. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define LINE_MAX_LEN 2048 /* below PIPE_BUF: a line is written whole or not */
#define TROUBLE_EVERY_MS 60000
#define TROUBLE_CHANGED_MS 5000

static void vlog(enum log_level, const char *fmt, va_list) PRINTF(2, 0);

static const char *program = "turnout";
static enum log_level threshold = LOG_LEVEL_INFO;
static atomic_ulong dropped;

static const char *const names[] = { "error", "warn", "info", "debug" };

/* Sets the program's name (borrowed) and the least important level shown. */
void
log_open(const char *name, enum log_level level)
{
	program = name;
	threshold = level;
}

/* Copies text, control bytes as \xNN; returns where it ended. */
static size_t
escape(char *out, size_t room, const char *text)
{
	const unsigned char *p;
	size_t n = 0;

	for (p = (const unsigned char *)text; *p != '\0' && n + 5 < room; p++) {
		if (*p < 0x20 || *p == 0x7f)
			n += (size_t)snprintf(out + n, room - n, "\\x%02x", *p);
		else
			out[n++] = (char)*p;
	}
	out[n] = '\0';
	return n;
}

/*
 * One write, and only if stderr takes it now: nobody's log may stop the
 * daemon.  A pipe that polls writable has room for PIPE_BUF bytes.
 */
static void
write_line(const char *line, size_t len)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&pfd, 1, 0) != 1 || (pfd.revents & POLLOUT) == 0 ||
	    write(STDERR_FILENO, line, len) != (ssize_t)len)
		atomic_fetch_add(&dropped, 1);
}

static void
vlog(enum log_level level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_LEN - 256], line[LINE_MAX_LEN], iso[CLOCK_ISO_LEN];
	int saved = errno;
	size_t n;

	if (level <= threshold) {
		vsnprintf(text, sizeof(text), fmt, ap);
		n = (size_t)snprintf(line, 256, "%s %.64s[%ld] %s: ",
		    clock_iso(iso, clock_wall_ms() / 1000 * 1000), program,
		    (long)getpid(), names[level]);
		n += escape(line + n, sizeof(line) - n - 1, text);
		line[n++] = '\n';
		write_line(line, n);
	}
	errno = saved;
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_WARN, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}

/* FNV-1a (Fowler, Noll, Vo) of a text without its digits. */
static uint32_t
hash_words(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text != '\0'; text++)
		if (*text < '0' || *text > '9')
			h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

/*
 * Says that something repeats: at its start, then at most once a minute, or
 * sooner when the reason changed, with how often it happened since.
 * log_trouble_over() ends it.
 */
void
log_trouble(struct log_trouble *t, const char *fmt, ...)
{
	char text[LINE_MAX_LEN - 256];
	int64_t now = clock_mono_ms();
	bool first = t->since_ms == 0;
	int saved = errno;
	uint32_t reason;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reason = hash_words(text);
	t->count++;
	if (first) {
		t->since_ms = now;
		log_warn("%s", text);
	} else if (now - t->said_ms >=
	    (reason == t->reason ? TROUBLE_EVERY_MS : TROUBLE_CHANGED_MS)) {
		log_warn("%s (%llu times in the last %lld s)", text,
		    (unsigned long long)t->count,
		    (long long)((now - t->said_ms) / 1000));
	} else {
		errno = saved;
		return;
	}
	t->said_ms = now;
	t->reason = reason;
	t->count = 0;
	errno = saved;
}

/* Says once that the trouble is over; nothing when there was none. */
void
log_trouble_over(struct log_trouble *t)
{
	if (t->since_ms == 0)
		return;
	log_info("%s is back after %lld s", t->what,
	    (long long)((clock_mono_ms() - t->since_ms + 999) / 1000));
	t->since_ms = 0;
	t->count = 0;
}

/* How many lines stderr did not take. */
uint64_t
log_dropped(void)
{
	return atomic_load(&dropped);
}

/* One error line, then the end.  For main() and for x-alloc only. */
void
die(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	exit(status);
}
