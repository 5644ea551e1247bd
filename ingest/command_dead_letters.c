/*
 * turnout-ingest dead-letters: the messages that were refused.  list and show
 * only read; retry (letters_retry.c) and drop take rows away, and never all
 * of them by mistake.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/command.h"
#include "ingest/ingest_conf.h"
#include "ingest/letters.h"
#include "lib/log.h"
#include "lib/stop.h"

#define EXIT_UNAVAILABLE 69 /* EX_UNAVAILABLE */

#define ISO(time)                                                              \
	"to_char(" time " AT TIME ZONE 'UTC', "                                \
	"'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

/* clang-format off */
/* The newest, in the order in which they came. */
static const char Q_LIST[] =
    "SELECT id, received_at, topic, part, \"offset\", reason, size, detail"
    " FROM (SELECT dead_letter_id AS id, " ISO("received_at") " AS received_at,"
    " topic, part, record_offset AS \"offset\", reason, value_size AS size,"
    " detail FROM turnout.dead_letters WHERE " LETTERS_WHERE
    " ORDER BY dead_letter_id DESC LIMIT $6) AS newest ORDER BY id";

#define SHOWN \
    "dead_letter_id AS id, " ISO("received_at") " AS received_at, topic, part," \
    " record_offset AS \"offset\", " \
    " CASE WHEN record_ts < 253402300800000 THEN " /* the year 10000 */ \
    ISO("to_timestamp(record_ts / 1000.0)") " ELSE record_ts::text END" \
    " AS record_time, reason, detail," \
    " value_size AS size, encode(value_sha256, 'hex') AS sha256"
static const char Q_SHOW[] =
    "SELECT " SHOWN ", key, value FROM turnout.dead_letters"
    " WHERE dead_letter_id = $1";
static const char Q_SHOW_JSON[] =
    "SELECT " SHOWN ", encode(key, 'hex') AS key_hex,"
    " encode(value, 'hex') AS value_hex FROM turnout.dead_letters"
    " WHERE dead_letter_id = $1";

/* Those that are there when it begins; more may come in. */
static const char Q_LAST[] =
    "SELECT coalesce(max(dead_letter_id), 0) FROM turnout.dead_letters";

/* At most 500, behind the last one of the slice before. */
static const char Q_DROP[] =
    "WITH next AS (SELECT dead_letter_id FROM turnout.dead_letters"
    " WHERE " LETTERS_WHERE " AND dead_letter_id > $6 AND dead_letter_id <= $7"
    " ORDER BY dead_letter_id LIMIT 500),"
    " gone AS (DELETE FROM turnout.dead_letters"
    " WHERE dead_letter_id IN (SELECT dead_letter_id FROM next) RETURNING 1)"
    " SELECT (SELECT count(*) FROM gone), max(dead_letter_id) FROM next";
/* clang-format on */

static int
list(const struct ingest_conf *conf, struct db *db, const struct letters *l)
{
	const char *values[LETTERS_VALUES + 1];
	char limit[24];
	PGresult *res;

	letters_values(l, values);
	snprintf(limit, sizeof(limit), "%lld",
	    l->limit == 0 ? LETTERS_LIMIT : l->limit);
	values[LETTERS_VALUES] = limit;
	res = command_rows(db, Q_LIST, LETTERS_VALUES + 1, values, l->json,
	    (int)conf->pg_timeout_ms);
	if (res == NULL)
		return EXIT_UNAVAILABLE;
	command_print(res, l->json);
	PQclear(res);
	return 0;
}

/* Bytes as text: what is not printable ASCII, and a backslash, as \xNN. */
static void
put_escaped(const unsigned char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (bytes[i] < 0x20 || bytes[i] > 0x7e || bytes[i] == '\\')
			printf("\\x%02x", bytes[i]);
		else
			putchar(bytes[i]);
	}
}

/* One value of show; columns of type bytea are escaped. */
static int
put_field(const PGresult *res, int column, bool raw)
{
	unsigned char *bytes;
	size_t len;

	if (PQgetisnull(res, 0, column))
		return 0;
	if (PQftype(res, column) != 17) {
		fputs(PQgetvalue(res, 0, column), stdout);
		return 0;
	}
	bytes = PQunescapeBytea(
	    (const unsigned char *)PQgetvalue(res, 0, column), &len);
	if (bytes == NULL) {
		log_error(
		    "could not read the bytes of \"%s\"", PQfname(res, column));
		return -1;
	}
	if (raw)
		fwrite(bytes, 1, len, stdout);
	else
		put_escaped(bytes, len);
	PQfreemem(bytes);
	return 0;
}

static int
put_fields(const PGresult *res)
{
	int c;

	for (c = 0; c < PQnfields(res); c++) {
		printf("%s: ", PQfname(res, c));
		if (put_field(res, c, false) == -1)
			return 1;
		putchar('\n');
	}
	return 0;
}

static int
show(const struct ingest_conf *conf, struct db *db, const struct letters *l)
{
	char id[24];
	const char *values[] = { id };
	PGresult *res;
	int status = 0;

	/* The array of one id, without its brackets. */
	snprintf(
	    id, sizeof(id), "%.*s", (int)l->ids.len - 2, buf_str(&l->ids) + 1);
	res = command_rows(db, l->json ? Q_SHOW_JSON : Q_SHOW, 1, values,
	    l->json, (int)conf->pg_timeout_ms);
	if (res == NULL)
		return EXIT_UNAVAILABLE;
	if (PQntuples(res) == 0) {
		log_error("there is no dead letter %s", id);
		status = 1;
	} else if (l->raw) {
		status = put_field(res, PQnfields(res) - 1, true) == -1;
	} else if (l->json) {
		command_print(res, true);
	} else {
		status = put_fields(res);
	}
	if (fflush(stdout) != 0)
		status = 1;
	PQclear(res);
	return status;
}

/* One slice of drop; false when there is no other, or on a fault. */
static bool
drop_slice(struct db *db, const char *values[LETTERS_VALUES + 2], char last[24],
    long long *dropped, int timeout_ms, int *status)
{
	PGresult *res;
	bool more;

	res = command_query(db, Q_DROP, LETTERS_VALUES + 2, values, timeout_ms);
	if (res == NULL) {
		*status = EXIT_UNAVAILABLE;
		return false;
	}
	*dropped += strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	more = !PQgetisnull(res, 0, 1);
	if (more)
		snprintf(last, 24, "%s", PQgetvalue(res, 0, 1));
	PQclear(res);
	return more;
}

/* In slices: of millions each is done in time, and what is done is done. */
static int
drop(const struct ingest_conf *conf, struct db *db, const struct letters *l)
{
	const char *values[LETTERS_VALUES + 2];
	int timeout_ms = (int)conf->pg_timeout_ms;
	char last[24] = "0", end[24];
	long long dropped = 0;
	PGresult *res;
	int status = 0;

	/* Nothing else has them: these commits wait for the disk. */
	if (db_exec(db, "SET synchronous_commit = on", timeout_ms) == -1) {
		log_error("PostgreSQL: %s", db_errstr(db));
		return EXIT_UNAVAILABLE;
	}
	if ((res = command_query(db, Q_LAST, 0, NULL, timeout_ms)) == NULL)
		return EXIT_UNAVAILABLE;
	snprintf(end, sizeof(end), "%s", PQgetvalue(res, 0, 0));
	PQclear(res);
	letters_values(l, values);
	values[LETTERS_VALUES] = last;
	values[LETTERS_VALUES + 1] = end;
	while (!stop_asked() &&
	    drop_slice(db, values, last, &dropped, timeout_ms, &status))
		;
	printf(l->json ? "{\"dropped\":%lld}\n" : "dropped %lld\n", dropped);
	if (status == 0 && !stop_asked())
		return 0;
	log_error("broken off; drop again");
	return EXIT_UNAVAILABLE;
}

static const struct verb {
	const char *name;
	int (*run)(
	    const struct ingest_conf *, struct db *, const struct letters *);
	bool changes; /* only what the user has chosen */
} verbs[] = {
	{ "list", list, false },
	{ "show", show, false },
	{ "retry", letters_retry, true },
	{ "drop", drop, true },
};

/* Do the words fit the verb? */
static bool
fits(const struct verb *v, const struct letters *l)
{
	bool is_show = v->run == show, is_list = v->run == list;

	if (is_show)
		return l->ids.len > 0 &&
		    strchr(buf_str(&l->ids), ',') == NULL &&
		    !letters_filtered(l) && !l->all && !(l->raw && l->json) &&
		    l->limit == 0;
	if (l->raw || (!is_list && l->limit != 0) ||
	    (l->all && (l->ids.len > 0 || letters_filtered(l))))
		return false;
	if (!v->changes || letters_chosen(l))
		return true;
	log_error(
	    "dead-letters %s: say which: ids, a filter, or --all", v->name);
	return false;
}

int
command_dead_letters(const struct ingest_conf *conf, int argc, char **argv)
{
	const struct verb *v = NULL;
	int status = COMMAND_USAGE;
	struct db *db = NULL;
	struct letters l;
	size_t i;

	for (i = 0; argc > 1 && i < NITEMS(verbs); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			v = &verbs[i];
	if (v == NULL)
		return COMMAND_USAGE;
	if (letters_parse(&l, argc - 1, argv + 1) == -1 || !fits(v, &l))
		goto out;
	if ((db = command_open(conf)) == NULL) {
		status = EXIT_UNAVAILABLE;
		goto out;
	}
	switch (letters_check_times(&l, db, (int)conf->pg_timeout_ms)) {
	case LETTERS_TIMES_GOOD:
		status = v->run(conf, db, &l);
		break;
	case LETTERS_TIMES_WRONG:
		break;
	case LETTERS_TIMES_FAULT:
		status = EXIT_UNAVAILABLE;
		break;
	}
out:
	db_close(db);
	letters_free(&l);
	return status;
}
