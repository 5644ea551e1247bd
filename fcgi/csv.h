/* CSV (RFC 4180) at the end of a buffer: a field, and the end of a record. */
#ifndef TURNOUT_FCGI_CSV_H
#define TURNOUT_FCGI_CSV_H

#include <stdint.h>

struct buf;

void csv_text(struct buf *, const char *);
void csv_int(struct buf *, int64_t);
void csv_double(struct buf *, double);
void csv_end(struct buf *);

#endif
