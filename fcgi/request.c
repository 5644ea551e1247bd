/* What a client asks for; see request.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <unistr.h>

#include "fcgi/accept.h"
#include "fcgi/param.h"
#include "fcgi/query.h"
#include "fcgi/range.h"
#include "fcgi/request.h"
#include "fcgi/route.h"
#include "lib/buf.h"

/* Reads a positive number, as ids are; -1 when it is none. */
int
request_number(int64_t *out, const char *text)
{
	long long n;

	if (text[0] == '0' || text[0] == '\0' ||
	    text[strspn(text, "0123456789")] != '\0')
		return -1;
	errno = 0;
	n = strtoll(text, NULL, 10);
	if (errno != 0)
		return -1;
	*out = n;
	return 0;
}

static bool
takes(const struct request *r, enum param param)
{
	return (r->route->params & PARAM_BIT(param)) != 0;
}

/* The id in the path, already decoded by the web server. */
static int
take_id(struct request *r, const char *rest, size_t len, struct problem *p)
{
	size_t i;

	if (r->route->id == ROUTE_ID_NONE)
		return 0;
	if (len > REQUEST_ID_MAX ||
	    u8_check((const uint8_t *)rest, len) != NULL)
		goto unknown;
	for (i = 0; i < len; i++)
		if ((unsigned char)rest[i] < 0x20 || rest[i] == 0x7f)
			goto unknown;
	memcpy(r->id, rest, len);
	r->id[len] = '\0';
	if (r->route->id == ROUTE_ID_EVENT)
		return 0;
	if (request_number(&r->number, r->id) == 0)
		return 0;
	problem(p, 400, "Bad id", "This id must be a whole number.");
	problem_param(p, "id");
	problem_allowed(p, "a whole number from 1 to 9223372036854775807");
	return -1;
unknown:
	return problem(
	    p, 404, "Not found", "There is nothing at this address.");
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
	const char *etag = env->if_none_match, *id;
	size_t id_len;

	memset(r, 0, sizeof(*r));
	r->topk.k = TOPK_K_PRESET;
	r->step_ms = RANGE_STEP_PRESET;
	r->limit = REQUEST_LIMIT_PRESET;
	r->head = strcmp(method, "HEAD") == 0;
	if ((r->route = route_find(request_path(env), &id, &id_len)) == NULL)
		return problem(
		    p, 404, "Not found", "There is nothing at this address.");
	if (!r->head && strcmp(method, "GET") != 0)
		return problem(p, 405, "Method not allowed",
		    "Only GET and HEAD are allowed.");
	/* A longer condition cannot match one of our ETags: it is dropped. */
	if (etag != NULL && strlen(etag) <= REQUEST_ETAG_MAX)
		memcpy(r->if_none_match, etag, strlen(etag) + 1);
	if (take_id(r, id, id_len, p) == -1)
		return -1;
	if (query_take(r, env->query == NULL ? "" : env->query, p) == -1 ||
	    range_settle(&r->topk.range, r->given, p) == -1)
		return -1;
	if (takes(r, PARAM_STEP) &&
	    range_align(&r->topk.range, r->step_ms, p) == -1)
		return -1;
	r->negotiated = takes(r, PARAM_FORMAT) &&
	    (r->given & PARAM_BIT(PARAM_FORMAT)) == 0;
	if (r->negotiated)
		r->csv = env->accept != NULL && accept_csv(env->accept);
	return 0;
}

/*
 * Adds the key under which the answer is cached: made of what was parsed, so
 * that two ways to ask for the same have one entry.  "t1" is its version.  An
 * id may hold any text: with something behind it, it has its length before
 * it, and no "/" follows the version.
 */
void
request_cache_key(const struct request *r, struct buf *key)
{
	const struct route *route = r->route;

	if (route->suffix == NULL)
		buf_addf(key, "t1|%s%s", route->path, r->id);
	else
		buf_addf(key, "t1|%s|%zu:%s", route->suffix + 1, strlen(r->id),
		    r->id);
	if (takes(r, PARAM_K) || takes(r, PARAM_BY))
		topk_query_key(key, &r->topk);
	if (takes(r, PARAM_AROUND))
		buf_addf(key, "|around=%d", r->around);
	if (takes(r, PARAM_STEP))
		buf_addf(key, "|step=%s|%" PRId64 "-%" PRId64,
		    range_step_name(r->step_ms), r->topk.range.from_ms,
		    r->topk.range.to_ms);
	if (takes(r, PARAM_Q))
		buf_addf(key, "|limit=%d|q=%s", r->limit, r->words);
	if (r->csv)
		buf_adds(key, "|csv");
}
