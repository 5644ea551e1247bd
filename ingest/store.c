/*
 * One batch, one transaction; see store.h.
 *
 * What a fault asks for is decided here, by SQLSTATE class (lib/db.h):
 *   lost in COMMIT     ask the offset row, which the transaction held locked
 *   lost, retry        the whole batch again, with a growing, jittered pause
 *   record (22, 23)    find the record by halves, make it a dead letter
 *   stop (42, 28, XX)  give up loudly; no record is at fault, so none is lost
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/batch.h"
#include "ingest/counters.h"
#include "ingest/ingest_conf.h"
#include "ingest/store.h"
#include "ingest/known.h"
#include "ingest/store_details.h"
#include "ingest/store_sql.h"
#include "lib/db.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "lib/xalloc.h"

#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000
#define LOCK_TIMEOUT "55P03"

struct store {
	struct db *db;
	struct statements *statements;
	struct known *known;
	struct rsvp_parser *parser; /* for bisecting */
	char *cluster_id;	    /* NULL = not known */
	int timeout_ms;
	int pause_ms;
	enum db_fault
	    fault;     /* of the last try; ROLLBACK makes the handle forget */
	unsigned seed; /* of the jitter */
	struct log_trouble trouble;
	char errstr[600];
};

enum attempt {
	ATTEMPT_DONE,
	ATTEMPT_FENCED,
	ATTEMPT_FAILED,	 /* rolled back; db_fault() says what it asks for */
	ATTEMPT_UNKNOWN, /* lost in COMMIT */
};

struct store *
store_open(const struct ingest_conf *conf)
{
	struct store *st = xcalloc(1, sizeof(*st));

	st->db = db_open(conf->pg_conninfo, "turnout-ingest");
	st->statements = statements_new();
	st->known = known_new();
	st->parser = rsvp_parser_open();
	st->timeout_ms = (int)conf->pg_timeout_ms;
	st->trouble.what = "PostgreSQL";
	st->seed = (unsigned)(uintptr_t)st;
	return st;
}

/* Tells which cluster the offsets belong to; written with the next batch. */
void
store_set_cluster(struct store *st, const char *cluster_id)
{
	free(st->cluster_id);
	st->cluster_id = cluster_id == NULL ? NULL : xstrdup(cluster_id);
}

/* The handle forgets its last failure; returns -1. */
static int
keep_error(struct store *st)
{
	snprintf(st->errstr, sizeof(st->errstr), "%s", db_errstr(st->db));
	return -1;
}

static void
roll_back(struct store *st)
{
	if (db_connected(st->db) &&
	    db_exec(st->db, "ROLLBACK", st->timeout_ms) == -1)
		db_drop(st->db);
}

/* How many dead letters a retry takes out of their table. */
static int
letters_of(const struct batch *b)
{
	return (int)(b->nrecords - b->nbad);
}

/* All of the batch but COMMIT.  Offsets or letters first: the fence. */
static enum attempt
write_rows(struct store *st, const struct batch *b, struct stored *stored)
{
	struct statements *all = st->statements;
	int moved;

	statements_make(all, b, st->known, st->cluster_id);
	if (sql_begin(st->db, st->timeout_ms) == -1)
		return ATTEMPT_FAILED;
	if (b->retry) {
		moved = sql_take_letters(st->db, all, st->timeout_ms);
		if (moved != -1)
			moved = moved == letters_of(b);
	} else {
		moved = sql_move(st->db, all, b, st->timeout_ms);
	}
	if (moved == 0)
		return ATTEMPT_FENCED;
	/* RSVPs last: their trigger takes the lock on all counters. */
	if (moved == -1 ||
	    store_details(st->db, all, b, stored, st->timeout_ms) == -1 ||
	    sql_dead_letters(st->db, all, st->timeout_ms) == -1 ||
	    sql_rsvps(st->db, all, stored, st->timeout_ms) == -1)
		return ATTEMPT_FAILED;
	return ATTEMPT_DONE;
}

/*
 * A row of a table of counters that cannot be is no record's fault: it was
 * wrong before, and a recount beside us mends it.
 */
static enum db_fault
whose_fault(const struct store *st)
{
	enum db_fault fault = db_fault(st->db);
	const char *table = db_table(st->db);

	if (fault == DB_FAULT_RECORD &&
	    (strcmp(table, "event_counts") == 0 ||
		strcmp(table, "event_days") == 0))
		return DB_FAULT_RETRY;
	return fault;
}

/* One try.  Keeps in st->fault and st->errstr what went wrong. */
static enum attempt
try_batch(struct store *st, const struct batch *b, bool keep_it,
    struct stored *stored, char sqlstate[6])
{
	enum attempt a;

	memset(stored, 0, sizeof(*stored));
	a = write_rows(st, b, stored);
	if (a == ATTEMPT_DONE && keep_it) {
		if (db_commit(st->db, st->timeout_ms) == 0)
			return ATTEMPT_DONE;
		a = db_fault(st->db) == DB_FAULT_LOST ? ATTEMPT_UNKNOWN
						      : ATTEMPT_FAILED;
	}
	if (a == ATTEMPT_DONE || a == ATTEMPT_FENCED) {
		roll_back(st);
		return a;
	}
	st->fault = whose_fault(st);
	snprintf(st->errstr, sizeof(st->errstr), "%s%s%s%s", db_errstr(st->db),
	    db_sqlstate(st->db)[0] == '\0' ? "" : ", SQLSTATE ",
	    db_sqlstate(st->db),
	    st->fault == db_fault(st->db)
		? ""
		: "; a counter is wrong: turnout-ingest recount mends it");
	snprintf(sqlstate, 6, "%s", db_sqlstate(st->db));
	if (st->fault != DB_FAULT_LOST)
		roll_back(st);
	return a;
}

/* Waits the next, longer pause; false when a stop was asked meanwhile. */
static bool
pause_a_while(struct store *st)
{
	struct pollfd pfd = { .fd = stop_fd(), .events = POLLIN };
	int ms;

	st->pause_ms = st->pause_ms == 0 ? PAUSE_MIN_MS : st->pause_ms * 2;
	if (st->pause_ms > PAUSE_MAX_MS)
		st->pause_ms = PAUSE_MAX_MS;
	/* Jitter: daemons that failed together must not come back together. */
	ms = st->pause_ms / 2 + rand_r(&st->seed) % (st->pause_ms / 2 + 1);
	if (!stop_asked())
		poll(&pfd, 1, ms);
	return !stop_asked();
}

/*
 * resolve() of a retry: its dead letters went with the lost transaction, or
 * are there still, but for those that somebody else took meanwhile.  Taking
 * them waits for its end, too.
 */
static enum attempt
resolve_retry(struct store *st, const struct batch *b)
{
	int taken = -1;

	if (db_exec(st->db, "BEGIN", st->timeout_ms) == 0)
		taken = sql_take_letters(
		    st->db, st->statements, st->timeout_ms);
	if (taken == -1)
		keep_error(st);
	roll_back(st);
	return taken == -1	     ? ATTEMPT_UNKNOWN
	    : taken == 0	     ? ATTEMPT_DONE
	    : taken == letters_of(b) ? ATTEMPT_FAILED
				     : ATTEMPT_FENCED;
}

/*
 * The outcome of a COMMIT that nobody answered.  The lost transaction holds
 * the rows of its moves locked for as long as it lives, so that FOR
 * UPDATE waits for its end; then the row tells.
 */
static enum attempt
resolve(struct store *st, const struct batch *b)
{
	const struct move *m = batch_first_move(b);
	PGresult *res = NULL;
	int64_t now;

	if (b->retry)
		return resolve_retry(st, b);
	if (m == NULL)
		return ATTEMPT_FAILED; /* nothing moved: again is harmless */
	if (db_exec(st->db, "BEGIN", st->timeout_ms) == -1 ||
	    (res = sql_read_move(st->db, b, m, st->timeout_ms)) == NULL) {
		keep_error(st);
		roll_back(st);
		return ATTEMPT_UNKNOWN;
	}
	now = PQntuples(res) == 1 ? strtoll(PQgetvalue(res, 0, 0), NULL, 10)
				  : INT64_MIN;
	PQclear(res);
	roll_back(st);
	if (now == m->next) {
		count_add(COUNT_COMMITTED, 1);
		log_info("the commit that was not answered is committed");
		return ATTEMPT_DONE;
	}
	if (now == m->expected) {
		count_add(COUNT_NOT_COMMITTED, 1);
		log_info("the commit that was not answered is not committed; "
			 "doing it again");
		return ATTEMPT_FAILED;
	}
	return ATTEMPT_FENCED;
}

/* A batch of the records first..last-1 of b, good ones parsed anew. */
static void
copy_records(struct store *st, struct batch *out, const struct batch *b,
    size_t first, size_t last)
{
	const struct record *rec;
	struct incoming in;
	size_t i;

	for (i = first; i < last; i++) {
		rec = &b->records[i];
		in = (struct incoming){ .pos = rec->pos,
			.has_ts = rec->pos.ts != INT64_MIN,
			.key = batch_bytes(b, &rec->key),
			.key_len = rec->key.len,
			.value = batch_bytes(b, &rec->value),
			.value_len = rec->value.len,
			.letter_id = rec->letter_id };
		if (rec->reason[0] != '\0')
			batch_add_refused(out, &in, rec->reason);
		else
			/* It was valid once: the bound of mtime is no more. */
			batch_add(out, &in, st->parser, INT64_MAX / 2);
	}
}

/* Does the part fail on a record?  1 yes, 0 no, -1 something else broke. */
static int
part_fails(struct store *st, const struct batch *b, size_t first, size_t last)
{
	struct batch part;
	struct stored stored;
	char sqlstate[6];
	enum attempt a;

	batch_init(&part, b->source, b->store_members);
	part.retry = b->retry;
	copy_records(st, &part, b, first, last);
	batch_sort(&part);
	a = try_batch(st, &part, false, &stored, sqlstate);
	batch_free(&part);
	if (a == ATTEMPT_DONE)
		return 0;
	return a == ATTEMPT_FAILED && st->fault == DB_FAULT_RECORD ? 1 : -1;
}

/*
 * Finds the first record that PostgreSQL refuses, by halves, and gives it a
 * reason; the batch is made anew without it.  Returns -1 when something else
 * broke meanwhile: the caller tries the batch again.
 */
static int
bisect(struct store *st, struct batch *b, const char *sqlstate)
{
	size_t low = 0, high = b->nrecords, middle;
	struct batch fresh;
	int fails;

	/* [low, high) fails; shrink it until it is one record. */
	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if ((fails = part_fails(st, b, low, middle)) == -1)
			return -1;
		if (fails)
			high = middle;
		else
			low = middle;
	}
	if (b->nrecords == 0 || part_fails(st, b, low, high) != 1)
		return -1;
	snprintf(b->records[low].reason, sizeof(b->records[low].reason),
	    "db_%s", sqlstate);
	log_warn("PostgreSQL refuses record %s[%d]@%lld: %s; it %s a dead "
		 "letter",
	    b->source, (int)b->records[low].pos.part,
	    (long long)b->records[low].pos.offset, st->errstr,
	    b->retry ? "stays" : "becomes");
	batch_init(&fresh, b->source, b->store_members);
	copy_records(st, &fresh, b, 0, b->nrecords);
	fresh.import_id = b->import_id;
	fresh.retry = b->retry;
	fresh.opened_ms = b->opened_ms;
	fresh.moves = b->moves;
	fresh.nmoves = b->nmoves;
	b->moves = NULL;
	batch_free(b);
	*b = fresh;
	batch_sort(b);
	return 0;
}

static void
count_batch(const struct batch *b, const struct stored *stored)
{
	size_t i;
	int kind;

	if (b->nrecords == 0)
		return;
	count_add(COUNT_BATCHES, 1);
	count_add(COUNT_MESSAGES, (int64_t)b->nrecords);
	count_set(COUNT_BATCH_MESSAGES, (int64_t)b->nrecords);
	for (i = 0; b->nbad > 0 && i < b->nrecords; i++)
		if (b->records[i].reason[0] != '\0')
			count_dead_letter(b->records[i].reason);
	count_add(COUNT_ROWS_CHANGED, stored->rows_changed);
	for (kind = 0; kind < DETAIL_KINDS; kind++)
		count_add((enum counter)((int)COUNT_DETAILS_EVENT + kind),
		    stored->details_changed[kind]);
}

static void
end_zombies(struct store *st)
{
	int n = sql_end_zombies(st->db, st->timeout_ms);

	if (n > 0)
		log_warn("ended %d connections of daemons that had stopped in "
			 "the middle of a batch, and held its locks",
		    n);
}

/* What is to be done after a failed try; STORE_DONE = try again. */
static enum store_outcome
after_failure(struct store *st, struct batch *b, const char *sqlstate)
{
	count_set(COUNT_DB_UP, 0);
	count_add(COUNT_RETRIES, 1);
	switch (st->fault) {
	case DB_FAULT_STOP:
		return STORE_FATAL;
	case DB_FAULT_RECORD:
		if (bisect(st, b, sqlstate) == 0)
			return STORE_DONE;
		break;
	case DB_FAULT_RETRY:
		if (strcmp(sqlstate, LOCK_TIMEOUT) == 0)
			end_zombies(st);
		break;
	case DB_FAULT_NONE:
	case DB_FAULT_LOST:
		break;
	}
	log_trouble(&st->trouble,
	    "could not store a batch of %zu records: %s; trying again",
	    b->nrecords, st->errstr);
	return pause_a_while(st) ? STORE_DONE : STORE_STOPPED;
}

/*
 * Stores a sorted batch and returns when it is settled, however long
 * PostgreSQL is away.  Bad records of it may have become dead letters.
 */
enum store_outcome
store_batch(struct store *st, struct batch *b)
{
	struct stored stored;
	enum store_outcome next;
	enum attempt a;
	char sqlstate[6] = "";

	for (;;) {
		a = try_batch(st, b, true, &stored, sqlstate);
		while (a == ATTEMPT_UNKNOWN) {
			count_set(COUNT_DB_UP, 0);
			log_trouble(&st->trouble,
			    "lost PostgreSQL in a commit: %s; asking it for "
			    "the outcome",
			    st->errstr);
			if ((a = resolve(st, b)) == ATTEMPT_UNKNOWN &&
			    !pause_a_while(st))
				return STORE_STOPPED;
		}
		if (a == ATTEMPT_DONE) {
			st->pause_ms = 0;
			log_trouble_over(&st->trouble);
			count_set(COUNT_DB_UP, 1);
			known_add(st->known, b);
			count_batch(b, &stored);
			return STORE_DONE;
		}
		if (a == ATTEMPT_FENCED) {
			count_add(COUNT_FENCED, 1);
			return STORE_FENCED;
		}
		if ((next = after_failure(st, b, sqlstate)) != STORE_DONE)
			return next;
	}
}

/* Makes the row of an import; returns -1 with store_errstr() on a fault. */
int
store_begin_import(struct store *st, const char *file, int64_t *import_id)
{
	if (sql_begin_import(st->db, file, import_id, st->timeout_ms) == -1)
		return keep_error(st);
	return 0;
}

/*
 * Marks an import of so many lines as finished, which has all of it on disk.
 * Returns -1 with store_errstr() when that is not so.
 */
int
store_end_import(struct store *st, int64_t import_id, int64_t lines)
{
	switch (sql_end_import(st->db, import_id, lines, st->timeout_ms)) {
	case 1:
		return 0;
	case 0:
		snprintf(st->errstr, sizeof(st->errstr),
		    "PostgreSQL has lost the last of it, in a crash");
		return -1;
	default:
		(void)keep_error(st);
		roll_back(st);
		return -1;
	}
}

/* Borrows the reason of the last failure. */
const char *
store_errstr(const struct store *st)
{
	return st->errstr;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	db_close(st->db);
	statements_free(st->statements);
	known_free(st->known);
	rsvp_parser_close(st->parser);
	free(st->cluster_id);
	free(st);
}
