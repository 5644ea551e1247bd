/*
 * Dead letters once more on the path of every message: parsed, batched and
 * stored, each at its own place in log order, so that one that was refused
 * long ago cannot undo what came later.  What is applied leaves the table in
 * the same transaction; what is refused again stays as it was.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/batch.h"
#include "ingest/command.h"
#include "ingest/ingest_conf.h"
#include "ingest/letters.h"
#include "ingest/store.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "lib/xalloc.h"

#define EXIT_UNAVAILABLE 69 /* EX_UNAVAILABLE */
#define FENCED_MAX 100	    /* in a row: it is not somebody else */

/* clang-format off */
/* At most 500 and about 4 MiB, behind the last one of the slice before. */
static const char Q_SLICE[] =
    "SELECT id, part, off, ts, key, value, whole FROM (SELECT"
    " dead_letter_id AS id, part, record_offset AS off, record_ts AS ts, key,"
    " value, coalesce(octet_length(value) = value_size, false) AS whole,"
    " sum(coalesce(octet_length(value), 0)) OVER (ORDER BY dead_letter_id)"
    " - coalesce(octet_length(value), 0) AS before"
    " FROM (SELECT * FROM turnout.dead_letters"
    " WHERE " LETTERS_WHERE " AND dead_letter_id > $6"
    " ORDER BY dead_letter_id LIMIT 500) AS next) AS slice"
    " WHERE before < 4194304 ORDER BY id";
/* clang-format on */

struct reason {
	char code[BATCH_REASON_MAX];
	long long n;
};

struct retry {
	const struct ingest_conf *conf;
	struct db *db; /* of the slices; the store has its own */
	struct store *store;
	struct rsvp_parser *parser;
	struct batch batch;
	int64_t last_id; /* all up to it are done with */
	int fenced;	 /* in a row */
	long long applied, refused, cut;
	struct reason *reasons;
	size_t nreasons;
};

static PGresult *
slice(struct retry *rt, const struct letters *l)
{
	const char *values[LETTERS_VALUES + 1];
	char last[24];

	letters_values(l, values);
	snprintf(last, sizeof(last), "%lld", (long long)rt->last_id);
	values[LETTERS_VALUES] = last;
	return command_query(rt->db, Q_SLICE, LETTERS_VALUES + 1, values,
	    (int)rt->conf->pg_timeout_ms);
}

static int64_t
number(const PGresult *res, int row, int col)
{
	return strtoll(PQgetvalue(res, row, col), NULL, 10);
}

/* The bytes of a bytea, to be freed by PQfreemem(); NULL for NULL. */
static unsigned char *
bytes(const PGresult *res, int row, int col, size_t *len)
{
	unsigned char *p;

	*len = 0;
	if (PQgetisnull(res, row, col))
		return NULL;
	p = PQunescapeBytea(
	    (const unsigned char *)PQgetvalue(res, row, col), len);
	if (p == NULL)
		die(1, "could not allocate memory for a dead letter");
	return p;
}

static void
add_letter(struct retry *rt, const PGresult *res, int row)
{
	unsigned char *key, *value;
	struct incoming in = { .letter_id = number(res, row, 0),
		.pos = { .part = (int32_t)number(res, row, 1),
		    .offset = number(res, row, 2),
		    .ts = number(res, row, 3) },
		.has_ts = !PQgetisnull(res, row, 3) };

	if (PQgetvalue(res, row, 6)[0] != 't') {
		rt->cut++;
		return;
	}
	in.key = key = bytes(res, row, 4, &in.key_len);
	in.value = value = bytes(res, row, 5, &in.value_len);
	batch_add(&rt->batch, &in, rt->parser,
	    in.has_ts ? in.pos.ts : clock_wall_ms());
	PQfreemem(key);
	PQfreemem(value);
}

static void
count_reason(struct retry *rt, const char *code)
{
	size_t i;

	for (i = 0; i < rt->nreasons; i++)
		if (strcmp(rt->reasons[i].code, code) == 0)
			break;
	if (i == rt->nreasons) {
		rt->reasons = xreallocarray(
		    rt->reasons, ++rt->nreasons, sizeof(*rt->reasons));
		memset(&rt->reasons[i], 0, sizeof(rt->reasons[i]));
		snprintf(rt->reasons[i].code, sizeof(rt->reasons[i].code), "%s",
		    code);
	}
	rt->reasons[i].n++;
}

static void
count_batch(struct retry *rt)
{
	size_t i;

	for (i = 0; i < rt->batch.nrecords; i++) {
		if (rt->batch.records[i].reason[0] == '\0') {
			rt->applied++;
		} else {
			rt->refused++;
			count_reason(rt, rt->batch.records[i].reason);
		}
	}
}

/* Stores what is valid of a slice; -1 = the retry must end. */
static int
apply(struct retry *rt, const PGresult *res)
{
	long long cut = rt->cut;
	int i;

	for (i = 0; i < PQntuples(res); i++)
		add_letter(rt, res, i);
	if (rt->batch.nrecords > rt->batch.nbad) {
		batch_sort(&rt->batch);
		switch (store_batch(rt->store, &rt->batch)) {
		case STORE_DONE:
			break;
		case STORE_FENCED:
			/* Somebody took one of them: look again who is left. */
			rt->cut = cut;
			if (++rt->fenced < FENCED_MAX)
				return 0;
			log_error("dead letters do not go out of their table");
			return -1;
		case STORE_STOPPED:
			return -1;
		case STORE_FATAL:
			log_error("could not apply dead letters: %s",
			    store_errstr(rt->store));
			return -1;
		}
	}
	rt->fenced = 0;
	count_batch(rt);
	rt->last_id = number(res, PQntuples(res) - 1, 0);
	return 0;
}

static int
apply_all(struct retry *rt, const struct letters *l)
{
	PGresult *res;
	int rc = 0, n = 1;

	while (rc == 0 && n > 0) {
		if (stop_asked() || (res = slice(rt, l)) == NULL)
			return -1;
		n = PQntuples(res);
		if (n > 0)
			rc = apply(rt, res);
		batch_clear(&rt->batch);
		PQclear(res);
	}
	return rc;
}

static void
say_json(const struct retry *rt)
{
	size_t i;

	printf("{\"applied\":%lld,\"refused\":%lld,\"cut\":%lld,\"reasons\":{",
	    rt->applied, rt->refused, rt->cut);
	for (i = 0; i < rt->nreasons; i++)
		printf("%s\"%s\":%lld", i == 0 ? "" : ",", rt->reasons[i].code,
		    rt->reasons[i].n);
	puts("}}");
}

static void
say(const struct retry *rt)
{
	size_t i;

	if (rt->applied + rt->refused + rt->cut == 0) {
		puts("no dead letter is like that");
		return;
	}
	printf("applied %lld\n", rt->applied);
	if (rt->refused > 0) {
		printf("still refused %lld:", rt->refused);
		for (i = 0; i < rt->nreasons; i++)
			printf("%s %s %lld", i == 0 ? "" : ",",
			    rt->reasons[i].code, rt->reasons[i].n);
		putchar('\n');
	}
	if (rt->cut > 0)
		printf("cannot be retried %lld: their values are not stored, "
		       "or not whole\n",
		    rt->cut);
}

/*
 * Retries the chosen dead letters and says what came of it.  Returns the exit
 * status: 0 when all were applied, or none is like that; 1 when one was not;
 * 69 when the end was not reached.
 */
int
letters_retry(
    const struct ingest_conf *conf, struct db *db, const struct letters *l)
{
	struct retry rt = { .conf = conf, .db = db };
	int rc;

	rt.store = store_open(conf);
	rt.parser = rsvp_parser_open();
	batch_init(&rt.batch, "dead letters", conf->store_members);
	rt.batch.retry = true;
	rc = apply_all(&rt, l);
	if (l->json)
		say_json(&rt);
	else
		say(&rt);
	if (rc == -1)
		log_error("broken off: what was applied is, the others stay; "
			  "retry again");
	batch_free(&rt.batch);
	rsvp_parser_close(rt.parser);
	store_close(rt.store);
	free(rt.reasons);
	if (rc == -1)
		return EXIT_UNAVAILABLE;
	return rt.refused > 0 || rt.cut > 0;
}
