/*
 * From a 64-bit hash to the index of a row: open addressing, for the rows of
 * one batch.  Two rows of one hash are told apart by the caller's function.
 */
#ifndef TURNOUT_INGEST_MAP_H
#define TURNOUT_INGEST_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t hash;
	size_t row; /* index + 1; 0 = free */
};

struct map {
	struct map_slot *slots;
	size_t mask; /* slots - 1, a power of two; 0 = none yet */
	size_t n;
};

/* Is the row at this index the one that is looked for? */
typedef bool map_same(const void *rows, size_t row, const void *wanted);

size_t map_find(const struct map *, uint64_t hash, map_same *, const void *rows,
    const void *wanted);
void map_add(struct map *, uint64_t hash, size_t row);
void map_clear(struct map *);
void map_free(struct map *);

#endif
