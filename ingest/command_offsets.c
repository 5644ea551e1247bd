/*
 * turnout-ingest offsets: how far each partition is, and why one is stopped,
 * in the words of the daemon; set is command_offsets_set.c.
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/command.h"
#include "ingest/command_offsets.h"
#include "ingest/consumer.h"
#include "ingest/ingest_conf.h"
#include "ingest/offsets.h"
#include "ingest/place.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"

#define EXIT_UNAVAILABLE 69 /* EX_UNAVAILABLE */

/* clang-format off */
static const char Q_SHOW[] =
    "SELECT $1::text AS topic, part, next_offset, last_offset, low, high, lag,"
    " lag_seconds, cluster_id, state FROM unnest($2::int4[], $3::int8[],"
    " $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::text[],"
    " $10::text[]) AS u (part, next_offset, last_offset, low, high, lag,"
    " lag_seconds, cluster_id, state) ORDER BY part";
/* clang-format on */

/* The columns of Q_SHOW behind the topic, each an array for PostgreSQL. */
enum { PART, NEXT, LAST, LOW, HIGH, LAG, SECONDS, CLUSTER, STATE, COLUMNS };

struct show {
	struct buf columns[COLUMNS];
	const struct answer *answer;
	int64_t now_ms;
	bool stopped; /* one is */
	bool unknown; /* one, or all: the brokers did not say */
};

static void
separate(struct buf *b)
{
	buf_addc(b, b->len == 0 ? '{' : ',');
}

static void
put_number(struct buf *b, bool known, int64_t n)
{
	separate(b);
	if (known)
		buf_addf(b, "%lld", (long long)n);
	else
		buf_adds(b, "NULL");
}

static void
put_text(struct buf *b, const char *text)
{
	separate(b);
	if (text == NULL) {
		buf_adds(b, "NULL");
		return;
	}
	buf_addc(b, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *text);
	}
	buf_addc(b, '"');
}

static int64_t
age_seconds(const struct show *s, const struct asked *asked,
    const struct offset_row *row)
{
	int64_t since = asked->unread_ts;

	/* The next record was not seen: it is younger than the last one. */
	if (since == INT64_MIN && place_has_record(row))
		since = row->last_ts;
	return since == INT64_MIN || since > s->now_ms
	    ? 0
	    : (s->now_ms - since) / 1000;
}

static void
put_state(struct show *s, const struct asked *asked,
    const struct offset_row *row, struct buf *state)
{
	if (row != NULL && asked->judged && asked->place.fault == PLACE_OK) {
		buf_adds(state, "ok");
		return;
	}
	if (row == NULL) {
		buf_adds(state, "no row yet");
		return;
	}
	if (asked->judged) {
		s->stopped = true;
		buf_adds(state, "stopped: ");
		place_say(&asked->place, row, state);
	} else if (s->answer->nparts > 0 && row->part >= s->answer->nparts) {
		s->stopped = true;
		buf_adds(state, "the topic has no such partition");
	} else {
		s->unknown = true;
		buf_adds(state, "not known: Kafka did not answer");
	}
}

static void
put_part(struct show *s, int32_t part, const struct offset_row *row)
{
	static const struct asked nothing;
	const struct asked *asked = part < s->answer->nparts
	    ? &s->answer->parts[part]
	    : &nothing;
	int64_t lag = row == NULL ? 0 : asked->high - row->next_offset;
	bool has_lag = row != NULL && asked->known && lag >= 0;
	struct buf state = { 0 };

	put_number(&s->columns[PART], true, part);
	put_number(&s->columns[NEXT], row != NULL, row ? row->next_offset : 0);
	put_number(&s->columns[LAST], row != NULL && place_has_record(row),
	    row ? row->last_offset : 0);
	put_number(&s->columns[LOW], asked->known, asked->low);
	put_number(&s->columns[HIGH], asked->known, asked->high);
	put_number(&s->columns[LAG], has_lag, lag);
	put_number(&s->columns[SECONDS], has_lag,
	    has_lag && lag > 0 ? age_seconds(s, asked, row) : 0);
	put_text(&s->columns[CLUSTER],
	    row == NULL || row->cluster_id[0] == '\0' ? NULL : row->cluster_id);
	put_state(s, asked, row, &state);
	put_text(&s->columns[STATE], buf_str(&state));
	buf_free(&state);
}

/* Each partition that has a row, or that the brokers have. */
static void
put_parts(struct show *s, const struct offset_row *rows, size_t n)
{
	int32_t part = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		for (; part < rows[i].part && part < s->answer->nparts; part++)
			put_part(s, part, NULL);
		part = rows[i].part;
		put_part(s, part++, &rows[i]);
	}
	for (; part < s->answer->nparts; part++)
		put_part(s, part, NULL);
}

static int
print(const struct ingest_conf *conf, struct db *db, struct show *s, bool json)
{
	const char *values[COLUMNS + 1] = { conf->kafka_topic };
	PGresult *res;
	int i;

	for (i = 0; i < COLUMNS; i++) {
		buf_adds(&s->columns[i], s->columns[i].len == 0 ? "{}" : "}");
		values[i + 1] = buf_str(&s->columns[i]);
	}
	res = command_rows(
	    db, Q_SHOW, COLUMNS + 1, values, json, (int)conf->pg_timeout_ms);
	if (res == NULL)
		return EXIT_UNAVAILABLE;
	command_print(res, json);
	PQclear(res);
	return s->unknown ? EXIT_UNAVAILABLE : s->stopped ? 1 : 0;
}

static int
show(const struct ingest_conf *conf, struct db *db, bool json)
{
	struct answer answer = { 0 };
	struct show s = { .answer = &answer };
	struct offset_row *rows = NULL;
	int status, i;
	size_t n;

	if (offsets_load(db, conf->kafka_topic, &rows, &n,
		(int)conf->pg_timeout_ms) == -1) {
		log_error("PostgreSQL: %s", db_errstr(db));
		return EXIT_UNAVAILABLE;
	}
	consumer_ask(conf, rows, n, &answer);
	if (answer.why[0] != '\0') {
		log_error("%s", answer.why);
		s.unknown = true;
	}
	s.now_ms = clock_wall_ms();
	put_parts(&s, rows, n);
	status = print(conf, db, &s, json);
	if (answer.hung) {
		fflush(stdout);
		_exit(status);
	}
	for (i = 0; i < COLUMNS; i++)
		buf_free(&s.columns[i]);
	consumer_ask_free(&answer);
	free(rows);
	return status;
}

static int
show_command(const struct ingest_conf *conf, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false;
	struct db *db;
	int ch, status;

	optind = 0; /* glibc: start anew */
	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (ch != 'j')
			return COMMAND_USAGE;
		json = true;
	}
	if (optind < argc)
		return COMMAND_USAGE;
	if ((db = command_open(conf)) == NULL)
		return EXIT_UNAVAILABLE;
	status = show(conf, db, json);
	db_close(db);
	return status;
}

int
command_offsets(const struct ingest_conf *conf, int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "show") == 0)
		return show_command(conf, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "set") == 0)
		return offsets_set_command(conf, argc - 1, argv + 1);
	return COMMAND_USAGE;
}
