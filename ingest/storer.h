/*
 * The second thread: stores one batch while the first reads the next, so
 * that parsing and PostgreSQL work side by side.  At most one batch is with
 * it; that bounds the memory.
 */
#ifndef TURNOUT_INGEST_STORER_H
#define TURNOUT_INGEST_STORER_H

#include <stdbool.h>

#include "ingest/store.h"

struct batch;
struct storer;

enum storer_state {
	STORER_IDLE,	/* give it a batch */
	STORER_BUSY,	/* it has one */
	STORER_SETTLED, /* take it back with storer_take() */
};

struct storer *storer_start(struct store *);
enum storer_state storer_wait(struct storer *, int timeout_ms);
void storer_give(struct storer *, struct batch *);
enum store_outcome storer_take(struct storer *, struct batch *);
bool storer_stop(struct storer *, int timeout_ms);

#endif
