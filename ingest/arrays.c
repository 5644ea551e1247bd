/* PostgreSQL's binary array format; see arrays.h. */
#include "config.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "ingest/arrays.h"

static void
add32(struct buf *b, uint32_t n)
{
	n = htonl(n);
	buf_add(b, &n, sizeof(n));
}

static void
add64(struct buf *b, uint64_t n)
{
	n = htobe64(n);
	buf_add(b, &n, sizeof(n));
}

/* Empties b and starts an array of exactly n elements, to be added next. */
void
array_begin(struct buf *b, enum array_type type, size_t n)
{
	buf_clear(b);
	add32(b, n == 0 ? 0 : 1); /* dimensions */
	add32(b, 1);		  /* may hold NULLs */
	add32(b, (uint32_t)type);
	if (n > 0) {
		add32(b, (uint32_t)n);
		add32(b, 1); /* lower bound */
	}
}

void
array_int8(struct buf *b, int64_t n)
{
	add32(b, 8);
	add64(b, (uint64_t)n);
}

void
array_int4(struct buf *b, int32_t n)
{
	add32(b, 4);
	add32(b, (uint32_t)n);
}

void
array_float8(struct buf *b, double d)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	add32(b, 8);
	add64(b, bits);
}

/* Text (UTF-8) or bytea. */
void
array_bytes(struct buf *b, const void *data, size_t len)
{
	add32(b, (uint32_t)len);
	buf_add(b, data, len);
}

void
array_null(struct buf *b)
{
	add32(b, UINT32_MAX);
}

/* The oid of the array type, for the parameter. */
unsigned
array_oid(enum array_type type)
{
	switch (type) {
	case ARRAY_BYTEA:
		return 1001;
	case ARRAY_INT8:
		return 1016;
	case ARRAY_INT4:
		return 1007;
	case ARRAY_TEXT:
		return 1009;
	case ARRAY_FLOAT8:
		return 1022;
	}
	return 0;
}
