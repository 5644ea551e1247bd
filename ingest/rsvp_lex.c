/* The tokens of a message; see rsvp_lex.h. */
#include "config.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <unistr.h>

#include "ingest/rsvp_lex.h"

struct lexer {
	const char *p;
	const char *end;
	int depth;
};

/* Inside the quotes; leaves p behind the closing one. */
static enum rsvp_reason
string(struct lexer *l)
{
	for (l->p++; l->p < l->end; l->p++) {
		if (*l->p == '"') {
			l->p++;
			return RSVP_OK;
		}
		if ((unsigned char)*l->p < 0x20)
			return RSVP_CONTROL;
		if (*l->p != '\\')
			continue;
		if (++l->p == l->end)
			break;
		if (*l->p == 'u' && l->end - l->p > 4 &&
		    memcmp(l->p + 1, "0000", 4) == 0)
			return RSVP_NUL;
	}
	return RSVP_TRUNCATED;
}

static size_t
digits(struct lexer *l)
{
	const char *start = l->p;

	while (l->p < l->end && isdigit((unsigned char)*l->p))
		l->p++;
	return (size_t)(l->p - start);
}

/* A number as RFC 8259 writes it; one cut by the end is truncated. */
static enum rsvp_reason
number(struct lexer *l)
{
	bool zero;

	if (*l->p == '-')
		l->p++;
	if (l->p == l->end)
		return RSVP_TRUNCATED;
	zero = *l->p == '0';
	switch (digits(l)) {
	case 0:
		return RSVP_SYNTAX;
	case 1:
		break;
	default:
		if (zero)
			return RSVP_SYNTAX;
	}
	if (l->p < l->end && *l->p == '.') {
		l->p++;
		if (digits(l) == 0)
			return l->p == l->end ? RSVP_TRUNCATED : RSVP_SYNTAX;
	}
	if (l->p < l->end && (*l->p == 'e' || *l->p == 'E')) {
		l->p++;
		if (l->p < l->end && (*l->p == '+' || *l->p == '-'))
			l->p++;
		if (digits(l) == 0)
			return l->p == l->end ? RSVP_TRUNCATED : RSVP_SYNTAX;
	}
	return RSVP_OK;
}

static enum rsvp_reason
word(struct lexer *l)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t left = (size_t)(l->end - l->p), len, i;

	for (i = 0; i < NITEMS(words); i++) {
		len = strlen(words[i]);
		if (left >= len && memcmp(l->p, words[i], len) == 0) {
			l->p += len;
			return RSVP_OK;
		}
		if (left < len && memcmp(l->p, words[i], left) == 0)
			return RSVP_TRUNCATED;
	}
	return RSVP_SYNTAX;
}

static enum rsvp_reason
token(struct lexer *l)
{
	switch (*l->p) {
	case ' ':
	case '\t':
	case '\n':
	case '\r':
	case ',':
	case ':':
		l->p++;
		return RSVP_OK;
	case '{':
	case '[':
		l->p++;
		return ++l->depth > RSVP_DEPTH_MAX ? RSVP_TOO_DEEP : RSVP_OK;
	case '}':
	case ']':
		l->p++;
		l->depth--;
		return RSVP_OK;
	case '"':
		return string(l);
	default:
		if (*l->p == '-' || isdigit((unsigned char)*l->p))
			return number(l);
		return word(l);
	}
}

/*
 * Returns RSVP_OK when every token is JSON's, else the first thing that is
 * wrong: RSVP_BAD_UTF8, RSVP_NUL, RSVP_CONTROL, RSVP_TRUNCATED, RSVP_SYNTAX,
 * RSVP_TOO_DEEP.
 */
enum rsvp_reason
rsvp_lex(const char *text, size_t len)
{
	struct lexer l = { .p = text, .end = text + len };
	enum rsvp_reason reason;

	if (memchr(text, '\0', len) != NULL)
		return RSVP_NUL;
	if (u8_check((const uint8_t *)text, len) != NULL)
		return RSVP_BAD_UTF8;
	while (l.p < l.end) {
		if ((reason = token(&l)) != RSVP_OK)
			return reason;
		/* What follows the outermost object is the parser's to say. */
		if (l.depth == 0 && (l.p[-1] == '}' || l.p[-1] == ']'))
			break;
	}
	return RSVP_OK;
}
