/* The JSON writer; see json.h. */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/json.h"
#include "lib/buf.h"

/*
 * U+2028 and U+2029 end a line in old JavaScript: true when s, with left
 * bytes, starts with one; *last is its last byte then.
 */
static bool
line_end(const char *s, size_t left, unsigned *last)
{
	if (left < 3 || memcmp(s, "\xe2\x80", 2) != 0)
		return false;
	*last = (unsigned char)s[2];
	return *last == 0xa8 || *last == 0xa9;
}

/* What could end a script element, or look like a tag or a reference. */
static bool
markup(char c)
{
	return c == '<' || c == '>' || c == '&';
}

static bool
special(char c)
{
	return (unsigned char)c < 0x20 || c == '"' || c == '\\' || c == 0x7f ||
	    markup(c);
}

static void
escape(struct buf *b, char c)
{
	switch (c) {
	case '"':
		buf_adds(b, "\\\"");
		break;
	case '\\':
		buf_adds(b, "\\\\");
		break;
	case '\n':
		buf_adds(b, "\\n");
		break;
	case '\r':
		buf_adds(b, "\\r");
		break;
	case '\t':
		buf_adds(b, "\\t");
		break;
	default:
		buf_addf(b, "\\u%04x", (unsigned)(unsigned char)c);
	}
}

/* Adds s, len bytes of valid UTF-8, as a JSON string with its quotes. */
void
json_string(struct buf *b, const char *s, size_t len)
{
	size_t i, from = 0;
	unsigned last;

	buf_addc(b, '"');
	for (i = 0; i < len; i++) {
		if (special(s[i])) {
			buf_add(b, s + from, i - from);
			escape(b, s[i]);
			from = i + 1;
		} else if (line_end(s + i, len - i, &last)) {
			buf_add(b, s + from, i - from);
			buf_addf(b, "\\u20%02x", last - 0x80);
			i += 2;
			from = i + 1;
		}
	}
	buf_add(b, s + from, len - from);
	buf_addc(b, '"');
}

/* The same of a C string; null for NULL. */
void
json_cstring(struct buf *b, const char *s)
{
	if (s == NULL)
		buf_adds(b, "null");
	else
		json_string(b, s, strlen(s));
}

/*
 * Adds a text that is JSON already, from PostgreSQL; null for NULL.  What has
 * to be escaped can only stand inside its strings.
 */
void
json_raw(struct buf *b, const char *s)
{
	unsigned last;

	if (s == NULL) {
		buf_adds(b, "null");
		return;
	}
	for (; *s != '\0'; s++) {
		if (markup(*s)) {
			escape(b, *s);
		} else if (line_end(s, strnlen(s, 3), &last)) {
			buf_addf(b, "\\u20%02x", last - 0x80);
			s += 2;
		} else {
			buf_addc(b, *s);
		}
	}
}

void
json_int(struct buf *b, int64_t n)
{
	buf_addf(b, "%" PRId64, n);
}

/*
 * The shortest of 15 to 17 digits that reads back as the same number, with a
 * point whatever the locale; null for what JSON cannot say.
 */
void
json_double(struct buf *b, double d)
{
	char text[40];
	char *p;
	int digits;

	if (!isfinite(d)) {
		buf_adds(b, "null");
		return;
	}
	for (digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	for (p = text; *p != '\0'; p++)
		if (strchr("+-0123456789e", *p) == NULL)
			*p = '.';
	buf_adds(b, text);
}

/* Adds a member that is not an object's first: text, or null. */
void
json_member(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, ",\"%s\":", name);
	json_cstring(b, value);
}
