/* Which details are stored already; see known.h. */
#include "config.h"

#include <stdlib.h>

#include "ingest/known.h"
#include "lib/xalloc.h"

#define KNOWN_SLOTS (1U << 18) /* 4 MiB; a newer key takes an older one's */

struct known {
	struct {
		uint64_t key; /* hash of kind and id; 0 = free */
		uint64_t content;
	} slots[KNOWN_SLOTS];
};

struct known *
known_new(void)
{
	return xcalloc(1, sizeof(struct known));
}

/* Was this content the last that known_add() was told of this key? */
bool
known_has(const struct known *k, uint64_t key, uint64_t content)
{
	uint64_t i = key & (KNOWN_SLOTS - 1);

	return key != 0 && k->slots[i].key == key &&
	    k->slots[i].content == content;
}

void
known_add(struct known *k, uint64_t key, uint64_t content)
{
	uint64_t i = key & (KNOWN_SLOTS - 1);

	k->slots[i].key = key;
	k->slots[i].content = content;
}

void
known_free(struct known *k)
{
	free(k);
}
