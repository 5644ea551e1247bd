/*
 * JSON values at the end of a buffer.  The text is also safe inside a script
 * element, so a page may carry an answer as it is.
 */
#ifndef TURNOUT_FCGI_JSON_H
#define TURNOUT_FCGI_JSON_H

#include <stddef.h>
#include <stdint.h>

struct buf;

void json_string(struct buf *, const char *, size_t);
void json_cstring(struct buf *, const char *);
void json_raw(struct buf *, const char *);
void json_int(struct buf *, int64_t);
void json_double(struct buf *, double);
void json_member(struct buf *, const char *name, const char *value);

#endif
