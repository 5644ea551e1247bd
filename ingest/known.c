/* Which details are stored; see known.h. */
#include "config.h"

#include <stdlib.h>

#include "ingest/known.h"
#include "lib/xalloc.h"

#define SLOTS ((size_t)1 << 20) /* 8 MiB */

/* One place for each id: the signature of its kind, id and content. */
struct known {
	uint64_t slots[SLOTS];
};

struct known *
known_new(void)
{
	return xcalloc(1, sizeof(struct known));
}

/* Odd constants only spread the bits; the ids are hashed already. */
static uint64_t
identity(enum detail_kind kind, const struct detail_row *row)
{
	return row->id_hash + ((uint64_t)kind + 1) * 0x9e3779b97f4a7c15;
}

static uint64_t
signature(uint64_t id, const struct detail_row *row)
{
	uint64_t sig = (id ^ row->hash) * 0xd6e8feb86659fd93;

	return sig == 0 ? 1 : sig;
}

/* Was this content of this row the last to be added? */
bool
known_has(
    const struct known *k, enum detail_kind kind, const struct detail_row *row)
{
	uint64_t id = identity(kind, row);

	return k->slots[id % SLOTS] == signature(id, row);
}

/* Adds all details of a batch that is committed. */
void
known_add(struct known *k, const struct batch *b)
{
	const struct detail_set *set;
	uint64_t id;
	size_t i;
	int kind;

	for (kind = 0; kind < DETAIL_KINDS; kind++) {
		set = &b->details[kind];
		for (i = 0; i < set->n; i++) {
			id = identity((enum detail_kind)kind, &set->rows[i]);
			k->slots[id % SLOTS] = signature(id, &set->rows[i]);
		}
	}
}

void
known_free(struct known *k)
{
	free(k);
}
