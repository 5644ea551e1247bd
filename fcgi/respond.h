/* From a response to the bytes of a CGI answer.  Pure. */
#ifndef TURNOUT_FCGI_RESPOND_H
#define TURNOUT_FCGI_RESPOND_H

#include <stdbool.h>

#include "fcgi/response.h"

struct problem;
struct request;

int respond(struct buf *out, const struct request *, const struct response *,
    bool stale);
int respond_problem(struct buf *out, const struct request *,
    const struct problem *, bool html, const char *base);
bool etag_matches(const char *condition, const char *etag);

#endif
