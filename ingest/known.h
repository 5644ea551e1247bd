/*
 * Which details are stored already: a bounded memory of what this daemon
 * wrote itself, so that only their place in log order has to be moved.  A
 * hint: the statement that uses it checks the content in the database.
 */
#ifndef TURNOUT_INGEST_KNOWN_H
#define TURNOUT_INGEST_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

struct known;

struct known *known_new(void);
bool known_has(const struct known *, uint64_t key, uint64_t content);
void known_add(struct known *, uint64_t key, uint64_t content);
void known_free(struct known *);

#endif
