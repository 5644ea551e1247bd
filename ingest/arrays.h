/*
 * PostgreSQL's binary array format, for parameters of unnest(): a batch goes
 * over as one array a column.  One dimension, lower bound 1, NULLs allowed.
 */
#ifndef TURNOUT_INGEST_ARRAYS_H
#define TURNOUT_INGEST_ARRAYS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

/* Type oids of pg_type.dat: the element, and its array for the parameter. */
enum array_type {
	ARRAY_BYTEA = 17,
	ARRAY_INT8 = 20,
	ARRAY_INT4 = 23,
	ARRAY_TEXT = 25,
	ARRAY_FLOAT8 = 701,
};

void array_begin(struct buf *, enum array_type, size_t n);
void array_int8(struct buf *, int64_t);
void array_int4(struct buf *, int32_t);
void array_float8(struct buf *, double);
void array_bytes(struct buf *, const void *, size_t);
void array_null(struct buf *);
unsigned array_oid(enum array_type);

#endif
