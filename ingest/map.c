/* From a hash to a row; see map.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "ingest/map.h"
#include "lib/xalloc.h"

#define MAP_FIRST 1024

static void
put(struct map *m, uint64_t hash, size_t row)
{
	size_t i = (size_t)hash & m->mask;

	while (m->slots[i].row != 0)
		i = (i + 1) & m->mask;
	m->slots[i].hash = hash;
	m->slots[i].row = row;
}

static void
grow(struct map *m)
{
	struct map_slot *old = m->slots;
	size_t i, n = old == NULL ? 0 : m->mask + 1;

	m->mask = n == 0 ? MAP_FIRST - 1 : n * 2 - 1;
	m->slots = xcalloc(m->mask + 1, sizeof(*m->slots));
	for (i = 0; i < n; i++)
		if (old[i].row != 0)
			put(m, old[i].hash, old[i].row);
	free(old);
}

/* The index of the row, or SIZE_MAX. */
size_t
map_find(const struct map *m, uint64_t hash, map_same *same, const void *rows,
    const void *wanted)
{
	const struct map_slot *slot;
	size_t i;

	if (m->slots == NULL)
		return SIZE_MAX;
	for (i = (size_t)hash & m->mask; m->slots[i].row != 0;
	     i = (i + 1) & m->mask) {
		slot = &m->slots[i];
		if (slot->hash == hash && same(rows, slot->row - 1, wanted))
			return slot->row - 1;
	}
	return SIZE_MAX;
}

/* Adds a row that map_find() did not find. */
void
map_add(struct map *m, uint64_t hash, size_t row)
{
	if (m->slots == NULL || (m->n + 1) * 2 > m->mask)
		grow(m);
	put(m, hash, row + 1);
	m->n++;
}

void
map_clear(struct map *m)
{
	if (m->n > 0)
		memset(m->slots, 0, (m->mask + 1) * sizeof(*m->slots));
	m->n = 0;
}

void
map_free(struct map *m)
{
	free(m->slots);
	memset(m, 0, sizeof(*m));
}
