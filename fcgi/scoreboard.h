/*
 * The board in shared memory on which each worker writes what it does and
 * counts, and from which the parent and /metrics read.  A slot's counters
 * outlive the worker that held it.
 */
#ifndef TURNOUT_FCGI_SCOREBOARD_H
#define TURNOUT_FCGI_SCOREBOARD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

enum score {
	SCORE_REQUESTS_2XX,
	SCORE_REQUESTS_304,
	SCORE_REQUESTS_4XX,
	SCORE_REQUESTS_5XX,
	SCORE_ABORTED,
	SCORE_STALE_SERVED,
	SCORE_CACHE_FRESH,
	SCORE_CACHE_STALE,
	SCORE_CACHE_REFILL,
	SCORE_CACHE_MISS,
	SCORE_CACHE_BAD,
	SCORE_REDIS_ERRORS,
	SCORE_DB_QUERIES,
	SCORE_DB_ERRORS,
	SCORE_TOOK_1MS, /* buckets of the duration, cumulative when told */
	SCORE_TOOK_5MS,
	SCORE_TOOK_20MS,
	SCORE_TOOK_100MS,
	SCORE_TOOK_1S,
	SCORE_TOOK_MORE,
	SCORE_TOOK_US, /* sum */
	SCORE_TOOK_COUNT,
	SCORE_STARTED, /* the parent's, in slot 0 */
	SCORE_DIED,
	SCORE_KILLED,
	SCORE_WORKERS_IDLE,
	SCORE_WORKERS_BUSY,
	SCORE_BUILD,
	SCORES
};

#define SCORE_NODES_MAX 16 /* Redis nodes that are told of */

enum slot_state {
	SLOT_IDLE, /* waits for a connection */
	SLOT_BUSY, /* reads or answers a request */
};

void scoreboard_open(int workers, int apart);
void scoreboard_end(void);
bool scoreboard_ends(void);
void score_slot(int slot);
void score_add(enum score, int64_t);
void score_took(int64_t us);
void score_state(enum slot_state);
int64_t score_busy_since(int slot);
bool score_up(int slot);
void score_db(bool worked);
int64_t score_db_away(void);
bool score_db_probe(int64_t every_ms);
void score_slow(uint64_t question);
bool score_is_slow(uint64_t question);
void score_forget(int slot);
void score_node_name(int node, const char *);
void score_node(int node, int64_t open_until_ms);
const char *scoreboard_node(int node, int *open);
void scoreboard_sum(int64_t out[SCORES]);
int64_t scoreboard_longest_ms(void);
void scoreboard_render(struct buf *);
void scoreboard_stats_line(struct buf *);

#endif
