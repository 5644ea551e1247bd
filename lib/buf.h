/*
 * A byte buffer that grows.  data is always NUL-terminated after the first
 * add (the NUL is not counted in len), so that text can be borrowed as a C
 * string.  A zeroed struct is an empty buffer.
 */
#ifndef TURNOUT_BUF_H
#define TURNOUT_BUF_H

#include <stddef.h>

#include "lib/attr.h"

struct buf {
	char *data; /* NULL while nothing was ever added */
	size_t len;
	size_t cap;
};

void buf_add(struct buf *, const void *, size_t);
void buf_adds(struct buf *, const char *);
void buf_addc(struct buf *, char);
void buf_addf(struct buf *, const char *fmt, ...) PRINTF(2, 3);
void buf_reserve(struct buf *, size_t more);
const char *buf_str(const struct buf *);
void buf_clear(struct buf *);
void buf_free(struct buf *);

#endif
