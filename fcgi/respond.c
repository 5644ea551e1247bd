/* From a response to the bytes of a CGI answer; see respond.h. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/html.h"
#include "fcgi/json.h"
#include "fcgi/request.h"
#include "fcgi/respond.h"
#include "fcgi/words.h"
#include "lib/clock.h"

#define CACHE_PUBLIC                                                           \
	"public, max-age=1, stale-while-revalidate=10, stale-if-error=300"

static const char *const types[] = {
	[RESPONSE_JSON] = "application/json; charset=utf-8",
	[RESPONSE_HTML] = "text/html; charset=utf-8",
	[RESPONSE_PROBLEM] = "application/problem+json; charset=utf-8",
	[RESPONSE_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
	[RESPONSE_CSV] = "text/csv; charset=utf-8; header=present",
};

static const char *
reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 304:
		return "Not Modified";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 414:
		return "URI Too Long";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

/*
 * Does an If-None-Match hold this ETag?  Compared weakly, as RFC 9110 has it
 * for this condition: W/ in front makes no difference.
 */
bool
etag_matches(const char *condition, const char *etag)
{
	const char *p = condition, *tag = strchr(etag, '"');
	size_t len = strlen(tag);

	while (*p != '\0') {
		p += strspn(p, " \t,");
		if (*p == '*')
			return true;
		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		if (strncmp(p, tag, len) == 0)
			return true;
		if (*p != '"')
			return false; /* not a list of entity tags */
		p++;
		p += strcspn(p, "\"");
		p += *p == '"';
	}
	return false;
}

/* What stands at the mark; *b is room for it. */
static const char *
mark_of(struct buf *b, enum response_type type, bool stale)
{
	switch (type) {
	case RESPONSE_JSON:
		return stale ? "true" : "false";
	case RESPONSE_HTML:
		if (stale)
			buf_addf(b, "<p class=\"stale\" role=\"status\">%s</p>",
			    word(W_STALE));
		break;
	case RESPONSE_PROBLEM:
	case RESPONSE_TEXT:
	case RESPONSE_CSV:
	case RESPONSE_TYPES:
		break;
	}
	return buf_str(b);
}

static void
add_body(struct buf *out, const struct response *r, const char *mark)
{
	size_t at = r->mark_at;

	if (at == RESPONSE_NO_MARK || at > r->body.len)
		at = r->body.len;
	buf_add(out, r->body.data, at);
	if (r->mark_at != RESPONSE_NO_MARK)
		buf_adds(out, mark);
	if (at < r->body.len)
		buf_add(out, r->body.data + at, r->body.len - at);
}

/*
 * Adds the whole answer: header and, unless it is a HEAD or a 304, body.
 * stale puts the stale mark in.  Returns the status that was sent.
 */
int
respond(struct buf *out, const struct request *req, const struct response *r,
    bool stale)
{
	struct buf room = { 0 };
	const char *mark = mark_of(&room, r->type, stale);
	size_t len = r->body.len +
	    (r->mark_at == RESPONSE_NO_MARK ? 0 : strlen(mark));
	bool cached = r->status == 200 && r->etag != 0;
	int status = r->status;
	char etag[32] = "", as_of[CLOCK_ISO_LEN];

	if (cached) {
		snprintf(etag, sizeof(etag), "W/\"%016" PRIx64 "%s\"", r->etag,
		    stale ? "-s" : "");
		if (req->if_none_match[0] != '\0' &&
		    etag_matches(req->if_none_match, etag))
			status = 304;
	}
	buf_addf(out, "Status: %d %s\r\n", status, reason(status));
	if (status != 304)
		buf_addf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n",
		    types[r->type], len);
	if (cached)
		buf_addf(out, "ETag: %s\r\n", etag);
	buf_addf(
	    out, "Cache-Control: %s\r\n", cached ? CACHE_PUBLIC : "no-store");
	if (req->negotiated)
		buf_adds(out, "Vary: Accept\r\n");
	/* A 304 says it too: by it the page's script knows an old answer. */
	if (r->type == RESPONSE_HTML && r->as_of_ms != 0) {
		clock_iso(as_of, r->as_of_ms);
		buf_addf(out, "X-Turnout-As-Of: %s\r\n", as_of);
	}
	if (stale)
		buf_adds(out, "X-Turnout-Stale: 1\r\n");
	buf_adds(out, "\r\n");
	if (status != 304 && !req->head)
		add_body(out, r, mark);
	buf_free(&room);
	return status;
}

static void
problem_json(struct buf *b, const struct problem *p)
{
	buf_adds(b, "{\"type\":\"about:blank\",\"title\":");
	json_cstring(b, p->title);
	buf_addf(b, ",\"status\":%d,\"detail\":", p->status);
	json_cstring(b, p->detail);
	if (p->param[0] != '\0') {
		buf_adds(b, ",\"param\":");
		json_cstring(b, p->param);
	}
	if (p->allowed[0] != '\0') {
		buf_adds(b, ",\"allowed\":");
		json_cstring(b, p->allowed);
	}
	buf_adds(b, "}\n");
}

/*
 * Adds a refusal: a page for html, else problem+json (RFC 9457).  base leads
 * from the page to the front page ("", "../").  Returns the status.
 */
int
respond_problem(struct buf *out, const struct request *req,
    const struct problem *p, bool html, const char *base)
{
	struct buf body = { 0 };

	if (html)
		html_problem(&body, p, base);
	else
		problem_json(&body, p);
	buf_addf(out,
	    "Status: %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "Cache-Control: %s\r\n",
	    p->status, reason(p->status),
	    types[html ? RESPONSE_HTML : RESPONSE_PROBLEM], body.len,
	    p->status == 404 ? "public, max-age=1" : "no-store");
	if (p->status == 405)
		buf_adds(out, "Allow: GET, HEAD\r\n");
	if (p->retry_after_s > 0)
		buf_addf(out, "Retry-After: %d\r\n", p->retry_after_s);
	buf_adds(out, "\r\n");
	if (!req->head)
		buf_add(out, body.data, body.len);
	buf_free(&body);
	return p->status;
}
