/* What the operator's commands share; see command.h. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/command.h"
#include "ingest/ingest_conf.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* A connection as the daemon has it; NULL, and a word to the user. */
struct db *
command_open(const struct ingest_conf *conf)
{
	struct db *db = db_open(conf->pg_conninfo, "turnout-ingest");

	if (db_connect(db, (int)conf->pg_timeout_ms) == 0)
		return db;
	log_error("could not connect to PostgreSQL: %s", db_errstr(db));
	db_close(db);
	return NULL;
}

/* db_query() with n texts (NULL allowed); a failure is told to the user. */
PGresult *
command_query(struct db *db, const char *sql, int n, const char *const *values,
    int timeout_ms)
{
	const struct db_params params = { .n = n, .values = values };
	PGresult *res = db_query(db, sql, &params, timeout_ms);

	if (res == NULL)
		log_error("PostgreSQL: %s%s%s", db_errstr(db),
		    db_sqlstate(db)[0] == '\0' ? "" : ", SQLSTATE ",
		    db_sqlstate(db));
	return res;
}

/*
 * The rows of a SELECT for command_print(): with json each is one JSON object,
 * made by PostgreSQL, whose keys are the names of the columns.
 */
PGresult *
command_rows(struct db *db, const char *sql, int n, const char *const *values,
    bool json, int timeout_ms)
{
	struct buf whole = { 0 };
	PGresult *res;

	if (!json)
		return command_query(db, sql, n, values, timeout_ms);
	buf_addf(&whole, "SELECT row_to_json(r) FROM (%s) AS r", sql);
	res = command_query(db, buf_str(&whole), n, values, timeout_ms);
	buf_free(&whole);
	return res;
}

/* Columns on a terminal, counted in characters of UTF-8. */
static int
width(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* No value may write more than its cell. */
static void
put_cell(const char *text, int pad, bool right)
{
	if (right)
		printf("%*s", pad, "");
	for (; *text != '\0'; text++)
		putchar(
		    (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
	if (!right)
		printf("%*s", pad, "");
}

static bool
is_number(Oid type)
{
	return type == 20 || type == 21 || type == 23 || type == 700 ||
	    type == 701 || type == 1700;
}

/* Prints rows of command_rows(): a table with a head, numbers to the right. */
void
command_print(const PGresult *res, bool json)
{
	int rows = PQntuples(res), columns = PQnfields(res), r, c;
	int *widths = xcalloc((size_t)columns, sizeof(*widths));
	const char *text;

	for (c = 0; c < columns; c++) {
		widths[c] = width(PQfname(res, c));
		for (r = 0; r < rows; r++)
			if (width(PQgetvalue(res, r, c)) > widths[c])
				widths[c] = width(PQgetvalue(res, r, c));
	}
	for (r = json ? 0 : -1; r < rows; r++) {
		for (c = 0; c < columns; c++) {
			text = r == -1 ? PQfname(res, c)
				       : PQgetvalue(res, r, c);
			if (json)
				fputs(text, stdout);
			else if (c == columns - 1 &&
			    !is_number(PQftype(res, c)))
				put_cell(text, 0, false);
			else
				put_cell(text, widths[c] - width(text),
				    is_number(PQftype(res, c)));
			fputs(c == columns - 1 ? "\n" : "  ", stdout);
		}
	}
	free(widths);
	fflush(stdout);
}

/* Reads a whole decimal number within bounds; false = it is none. */
bool
command_number(const char *word, long long least, long long most, long long *n)
{
	char *end;

	errno = 0;
	*n = strtoll(word, &end, 10);
	return errno == 0 && end != word && *end == '\0' && *n >= least &&
	    *n <= most;
}
