/* The words of the pages; see words.h. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fcgi/words.h"
#include "lib/buf.h"

#define GIVEN_MAX 6

/* The one language there is; another would be chosen here. */
static const struct language *const now = &words_en;

const char *
word(enum word w)
{
	return now->words[w];
}

/* The language, as the attribute lang says it. */
const char *
words_tag(void)
{
	return now->tag;
}

/* Of a pair, _MANY stands after _ONE. */
enum word
words_form(enum word one, int64_t n)
{
	return (enum word)((int)one + now->plural(n));
}

/* Writes a number in groups of three digits; returns out. */
const char *
words_number(char out[WORDS_NUMBER_LEN], int64_t n)
{
	char digits[24];
	size_t len, i, at = 0, gap = strlen(now->thousands);

	len = (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)n);
	for (i = 0; i < len; i++) {
		out[at++] = digits[i];
		if ((len - i) % 3 == 1 && i + 1 < len && digits[i] != '-') {
			memcpy(out + at, now->thousands, gap);
			at += gap;
		}
	}
	out[at] = '\0';
	return out;
}

/* Adds a text with what is given in its places. */
static void
fill(struct buf *b, const char *text, const char *const given[GIVEN_MAX])
{
	size_t plain;
	int i;

	for (;;) {
		plain = strcspn(text, "{");
		buf_add(b, text, plain);
		text += plain;
		if (*text == '\0')
			return;
		i = text[1] - '1';
		if (i >= 0 && i < GIVEN_MAX && given[i] != NULL)
			buf_adds(b, given[i]);
		text += 3;
	}
}

/* Adds words with what is given, which is HTML, in their places; the list
 * ends with NULL. */
void
words_add(struct buf *b, enum word w, ...)
{
	const char *given[GIVEN_MAX] = { NULL };
	const char *one;
	va_list ap;
	int n = 0;

	va_start(ap, w);
	while ((one = va_arg(ap, const char *)) != NULL && n < GIVEN_MAX)
		given[n++] = one;
	va_end(ap);
	fill(b, word(w), given);
}

/* Adds the form that fits n, with n in its place. */
void
words_add_n(struct buf *b, enum word one, int64_t n)
{
	char number[WORDS_NUMBER_LEN];

	words_add(b, words_form(one, n), words_number(number, n), NULL);
}

static void
broken_down(struct tm *tm, int64_t wall_ms)
{
	time_t t = (time_t)(wall_ms / 1000);

	memset(tm, 0, sizeof(*tm));
	gmtime_r(&t, tm);
}

/* Adds a day as people write it: Fri 24 Mar 2017. */
void
words_date(struct buf *b, int64_t wall_ms)
{
	char day[16], year[16];
	const char *given[GIVEN_MAX] = { NULL };
	struct tm tm;

	broken_down(&tm, wall_ms);
	snprintf(day, sizeof(day), "%d", tm.tm_mday);
	snprintf(year, sizeof(year), "%d", tm.tm_year + 1900);
	given[0] = now->days[tm.tm_wday];
	given[1] = day;
	given[2] = now->months[tm.tm_mon];
	given[3] = year;
	fill(b, now->date, given);
}

/* Adds a day without its year, for an axis: 24 Mar. */
void
words_date_short(struct buf *b, int64_t wall_ms)
{
	const char *given[GIVEN_MAX] = { NULL };
	char day[16];
	struct tm tm;

	broken_down(&tm, wall_ms);
	snprintf(day, sizeof(day), "%d", tm.tm_mday);
	given[0] = day;
	given[1] = now->months[tm.tm_mon];
	fill(b, now->date_short, given);
}

/* Adds day and time; seconds if asked, or where there are some. */
void
words_date_time(struct buf *b, int64_t wall_ms, bool seconds)
{
	const char *given[GIVEN_MAX] = { NULL };
	struct buf date = { 0 };
	char clock[16];
	struct tm tm;

	broken_down(&tm, wall_ms);
	words_date(&date, wall_ms);
	snprintf(clock, sizeof(clock),
	    seconds || tm.tm_sec != 0 ? "%02d:%02d:%02d" : "%02d:%02d",
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	given[0] = buf_str(&date);
	given[1] = clock;
	fill(b, now->date_time, given);
	buf_free(&date);
}

/* Adds how long something takes or is ago, no finer than a person wants:
 * "0.4 s", "12 min", "5 h", "3 days". */
void
words_span(struct buf *b, int64_t ms)
{
	const int64_t minute = 60000, hour = 60 * minute, day = 24 * hour;
	char n[WORDS_NUMBER_LEN];

	if (ms < 10000) {
		snprintf(n, sizeof(n), "%d%s%d", (int)(ms / 1000), now->point,
		    (int)(ms % 1000 / 100));
		words_add(b, W_SPAN_SECONDS, n, NULL);
	} else if (ms < 2 * minute)
		words_add(b, W_SPAN_SECONDS, words_number(n, ms / 1000), NULL);
	else if (ms < 2 * hour)
		words_add(
		    b, W_SPAN_MINUTES, words_number(n, ms / minute), NULL);
	else if (ms < 2 * day)
		words_add(b, W_SPAN_HOURS, words_number(n, ms / hour), NULL);
	else
		words_add(b, W_SPAN_DAYS, words_number(n, ms / day), NULL);
}
