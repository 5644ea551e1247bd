/* What a client asks for; see request.h. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistr.h>

#include "fcgi/request.h"
#include "fcgi/route.h"
#include "lib/buf.h"
#include "lib/conf.h"

#define QUERY_MAX 2048 /* bytes, undecoded */
#define PARAM_MAX 256  /* bytes of a name or value, decoded */

struct param {
	const char *name;
	const char *allowed;
	int (*set)(struct request *, const char *value);
};

static int
set_k(struct request *r, const char *value)
{
	long k;

	/* conf_number() takes "-5" and "007"; neither is a k. */
	if (value[0] == '0' || value[0] == '-' ||
	    conf_number(&k, value, 1, TOPK_K_MAX) == -1)
		return -1;
	r->topk.k = (int)k;
	return 0;
}

static const char *const by_names[] = {
	[TOPK_BY_RSVPS] = "rsvps", [TOPK_BY_HEADCOUNT] = "headcount"
};

static int
set_by(struct request *r, const char *value)
{
	size_t i;

	for (i = 0; i < NITEMS(by_names); i++) {
		if (strcmp(value, by_names[i]) == 0) {
			r->topk.by = (enum topk_by)i;
			return 0;
		}
	}
	return -1;
}

/* The parameters of a board; a new one is a new row. */
/* clang-format off */
static const struct param params[] = {
	{ "k",  "a whole number from 1 to 1000", set_k },
	{ "by", "rsvps or headcount",            set_by },
};
/* clang-format on */

static int refuse(struct problem *, int status, const char *title,
    const char *fmt, ...) PRINTF(4, 5);

static int
refuse(struct problem *p, int status, const char *title, const char *fmt, ...)
{
	va_list ap;

	memset(p, 0, sizeof(*p));
	p->status = status;
	p->title = title;
	va_start(ap, fmt);
	vsnprintf(p->detail, sizeof(p->detail), fmt, ap);
	va_end(ap);
	return -1;
}

/* Names a parameter in the answer: printable ASCII, the rest as "?". */
static void
name_param(struct problem *p, const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0' && i < sizeof(p->param) - 1; i++)
		p->param[i] = name[i] > 0x20 && name[i] < 0x7f ? name[i] : '?';
	p->param[i] = '\0';
}

static void
name_allowed(struct problem *p, const struct route *route)
{
	size_t room = sizeof(p->allowed), n = 0, i;

	if (!route->board) {
		snprintf(p->allowed, room, "no parameters");
		return;
	}
	for (i = 0; i < NITEMS(params) && n < room; i++)
		n += (size_t)snprintf(p->allowed + n, room - n, "%s%s",
		    i == 0 ? "" : ", ", params[i].name);
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * Decodes %XX and "+" once.  -1: too long, a lone %, a NUL or another control
 * character, or no UTF-8.
 */
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
		if (c < 0x20 || c == 0x7f || n == PARAM_MAX)
			return -1;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return u8_check((const uint8_t *)out, n) == NULL ? 0 : -1;
}

static int
take_param(struct request *r, const char *text, size_t len, unsigned *seen,
    struct problem *p)
{
	char name[PARAM_MAX + 1], value[PARAM_MAX + 1];
	const char *eq = memchr(text, '=', len);
	size_t name_len = eq == NULL ? len : (size_t)(eq - text), i;

	if (decode(name, text, name_len) == -1)
		return refuse(p, 400, "Bad parameter",
		    "A parameter's name cannot be decoded.");
	for (i = 0; i < NITEMS(params); i++)
		if (strcmp(name, params[i].name) == 0)
			break;
	if (i == NITEMS(params) || !r->route->board) {
		refuse(p, 400, "Unknown parameter",
		    "There is no such parameter here.");
		name_param(p, name);
		name_allowed(p, r->route);
		return -1;
	}
	if ((*seen & 1U << i) != 0) {
		refuse(p, 400, "Repeated parameter",
		    "The parameter \"%s\" is given more than once.", name);
		goto named;
	}
	*seen |= 1U << i;
	if (eq != NULL && decode(value, eq + 1, len - name_len - 1) == 0 &&
	    params[i].set(r, value) == 0)
		return 0;
	refuse(p, 400, "Bad parameter", "The parameter \"%s\" must be %s.",
	    name, params[i].allowed);
named:
	name_param(p, name);
	snprintf(p->allowed, sizeof(p->allowed), "%s", params[i].allowed);
	return -1;
}

static int
take_query(struct request *r, const char *query, struct problem *p)
{
	unsigned seen = 0;
	size_t len;

	if (strlen(query) > QUERY_MAX)
		return refuse(p, 414, "Query too long",
		    "The query is longer than %d bytes.", QUERY_MAX);
	if (query[0] == '\0')
		return 0;
	for (;;) {
		len = strcspn(query, "&");
		if (take_param(r, query, len, &seen, p) == -1)
			return -1;
		if (query[len] == '\0')
			return 0;
		query += len + 1;
	}
}

/* The id in the path, already decoded by the web server. */
static int
take_id(struct request *r, const char *rest, struct problem *p)
{
	size_t len = strlen(rest), i;

	if (r->route->id == ROUTE_ID_NONE)
		return 0;
	if (len > REQUEST_ID_MAX ||
	    u8_check((const uint8_t *)rest, len) != NULL)
		goto unknown;
	for (i = 0; i < len; i++)
		if ((unsigned char)rest[i] < 0x20 || rest[i] == 0x7f)
			goto unknown;
	memcpy(r->id, rest, len + 1);
	if (r->route->id == ROUTE_ID_EVENT)
		return 0;
	errno = 0;
	if (strspn(rest, "0123456789") == len && rest[0] != '0') {
		r->number = strtoll(rest, NULL, 10);
		if (errno == 0)
			return 0;
	}
	refuse(p, 400, "Bad id", "This id must be a whole number.");
	name_param(p, "id");
	snprintf(p->allowed, sizeof(p->allowed),
	    "a whole number from 1 to 9223372036854775807");
	return -1;
unknown:
	return refuse(p, 404, "Not found", "There is nothing at this address.");
}

/* The path inside Turnout: PATH_INFO, or the document without our prefix. */
const char *
request_path(const struct request_env *env)
{
	const char *path = env->document_uri == NULL ? "" : env->document_uri;
	const char *prefix = env->script_name == NULL ? "" : env->script_name;
	size_t len = strlen(prefix);

	if (env->path_info != NULL && env->path_info[0] != '\0')
		return env->path_info;
	if (strncmp(path, prefix, len) == 0)
		path += len;
	return path[0] == '\0' ? "/" : path;
}

/*
 * Reads a request.  Returns 0, or -1 with the refusal in *p; r->route is set
 * then too where the path was known, else NULL.
 */
int
request_parse(
    struct request *r, const struct request_env *env, struct problem *p)
{
	const char *method = env->method == NULL ? "" : env->method;
	const char *etag = env->if_none_match, *rest;

	memset(r, 0, sizeof(*r));
	r->topk.k = TOPK_K_PRESET;
	r->head = strcmp(method, "HEAD") == 0;
	if ((r->route = route_find(request_path(env), &rest)) == NULL)
		return refuse(
		    p, 404, "Not found", "There is nothing at this address.");
	if (!r->head && strcmp(method, "GET") != 0)
		return refuse(p, 405, "Method not allowed",
		    "Only GET and HEAD are allowed.");
	/* A longer condition cannot match one of our ETags: it is dropped. */
	if (etag != NULL && strlen(etag) <= REQUEST_ETAG_MAX)
		memcpy(r->if_none_match, etag, strlen(etag) + 1);
	if (take_id(r, rest, p) == -1)
		return -1;
	return take_query(r, env->query == NULL ? "" : env->query, p);
}

/*
 * Adds the key under which the answer is cached: made of what was parsed, so
 * that two ways to ask for the same have one entry.  "t1" is its version.
 */
void
request_cache_key(const struct request *r, struct buf *key)
{
	buf_addf(key, "t1|%s%s", r->route->path, r->id);
	if (r->route->board)
		buf_addf(key, "|k=%d|by=%s", r->topk.k, by_names[r->topk.by]);
}
