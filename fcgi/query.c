/* The query string; see query.h. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <unistr.h>

#include "fcgi/param.h"
#include "fcgi/problem.h"
#include "fcgi/query.h"
#include "fcgi/request.h"
#include "fcgi/route.h"

#define QUERY_MAX 2048 /* bytes, undecoded */
#define PARAM_MAX 512  /* bytes of a name or value, decoded */

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* No UTF-8, or a control character of it: U+0000-1F, U+007F-9F. */
static bool
unclean(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] < 0x20 || s[i] == 0x7f ||
		    (s[i] == 0xc2 && i + 1 < len && s[i + 1] < 0xa0))
			return true;
	return u8_check(s, len) != NULL;
}

/* Decodes %XX and "+" once.  -1: too long, a lone %, or unclean. */
static int
decode(char out[PARAM_MAX + 1], const char *text, size_t len)
{
	size_t n = 0, i;
	int c;

	for (i = 0; i < len; i++) {
		c = (unsigned char)text[i];
		if (c == '+')
			c = ' ';
		else if (c == '%') {
			if (len - i < 3 || hex(text[i + 1]) == -1 ||
			    hex(text[i + 2]) == -1)
				return -1;
			c = hex(text[i + 1]) * 16 + hex(text[i + 2]);
			i += 2;
		}
		if (n == PARAM_MAX)
			return -1;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return unclean(out, n) ? -1 : 0;
}

/* Lists the parameters of a route. */
static void
name_all(struct problem *p, const struct route *route)
{
	size_t room = sizeof(p->allowed), n = 0;
	enum param i;

	if (route->params == 0)
		problem_allowed(p, "no parameters");
	for (i = 0; i < PARAMS && n < room; i++)
		if ((route->params & PARAM_BIT(i)) != 0)
			n += (size_t)snprintf(p->allowed + n, room - n, "%s%s",
			    n == 0 ? "" : ", ", param_name(i));
}

static int
unknown(struct problem *p, const char *name, const struct route *route)
{
	problem(
	    p, 400, "Unknown parameter", "There is no such parameter here.");
	problem_param(p, name);
	name_all(p, route);
	return -1;
}

static int
refuse(struct problem *p, enum param param)
{
	problem_param(p, param_name(param));
	problem_allowed(p, "%s", param_allowed(param));
	return -1;
}

/* Takes one "name=value". */
static int
take(struct request *r, const char *text, size_t len, struct problem *p)
{
	char name[PARAM_MAX + 1], value[PARAM_MAX + 1];
	const char *eq = memchr(text, '=', len);
	size_t name_len = eq == NULL ? len : (size_t)(eq - text);
	enum param param;

	if (decode(name, text, name_len) == -1)
		return problem(p, 400, "Bad parameter",
		    "A parameter's name cannot be decoded.");
	param = param_find(name);
	if (param == PARAMS || (r->route->params & PARAM_BIT(param)) == 0)
		return unknown(p, name, r->route);
	/* A form sends its empty fields: to a page they are not given. */
	if (r->route->html && eq != NULL && name_len + 1 == len)
		return 0;
	if ((r->given & PARAM_BIT(param)) != 0) {
		problem(p, 400, "Repeated parameter",
		    "The parameter \"%s\" is given more than once.", name);
		return refuse(p, param);
	}
	r->given |= PARAM_BIT(param);
	if (eq != NULL && decode(value, eq + 1, len - name_len - 1) == 0 &&
	    param_take(r, param, value) == 0)
		return 0;
	problem(p, 400, "Bad parameter", "The parameter \"%s\" must be %s.",
	    name, param_allowed(param));
	return refuse(p, param);
}

static int
need(const struct request *r, struct problem *p)
{
	unsigned missing = r->route->required & ~r->given;
	enum param i;

	for (i = 0; i < PARAMS; i++) {
		if ((missing & PARAM_BIT(i)) == 0)
			continue;
		problem(p, 400, "Missing parameter",
		    "The parameter \"%s\" must be given: %s.", param_name(i),
		    param_allowed(i));
		return refuse(p, i);
	}
	return 0;
}

/*
 * Takes the parameters of a query string into r, whose route is known;
 * r->given tells which.  Returns 0, or -1 with the refusal in *p.
 */
int
query_take(struct request *r, const char *query, struct problem *p)
{
	size_t len;

	if (strlen(query) > QUERY_MAX)
		return problem(p, 414, "Query too long",
		    "The query is longer than %d bytes.", QUERY_MAX);
	while (query[0] != '\0') {
		len = strcspn(query, "&");
		if (take(r, query, len, p) == -1)
			return -1;
		if (query[len] == '\0')
			break;
		query += len + 1;
		/* What follows a "&" is a parameter, an empty one too. */
		if (query[0] == '\0')
			return take(r, query, 0, p);
	}
	return need(r, p);
}

/* Fills *p: PostgreSQL gave the question up, and what made it so large. */
void
query_too_wide(const struct request *r, struct problem *p)
{
	/* What lets the most rows through stands first. */
	static const enum param wide[] = { PARAM_WINDOW, PARAM_DATE, PARAM_FROM,
		PARAM_WHEN, PARAM_COUNTRY, PARAM_TOPIC, PARAM_CITY, PARAM_GROUP,
		PARAM_Q };
	char names[128] = "";
	size_t n = 0, i;

	problem(p, 503, "Too slow",
	    "The database took too long just now. Please try again later.");
	for (i = 0; i < NITEMS(wide); i++) {
		if ((r->given & PARAM_BIT(wide[i])) == 0)
			continue;
		if (n == 0)
			problem_param(p, param_name(wide[i]));
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s\"%s\"",
		    n == 0 ? "" : " with ", param_name(wide[i]));
	}
	if (n == 0)
		return;
	snprintf(p->detail, sizeof(p->detail),
	    "This is too wide for the database to answer in time: %s. Please "
	    "make the range shorter or the filter narrower.",
	    names);
	problem_allowed(
	    p, "a shorter range, or a filter that fewer events pass");
}
