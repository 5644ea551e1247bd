/*
 * One connection to PostgreSQL; see db.h.  Nothing here blocks without a
 * deadline: libpq's own waiting (PQexec, PQconnectdb) has none, and a server
 * that is stopped ignores its statement_timeout.  But for one thing: libpq
 * asks the resolver for a host's address itself, and waits as long as that
 * does; hostaddr or a socket needs none.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/db.h"
#include "lib/xalloc.h"

/* What says where the hosts are, an entry each; one port may be for all. */
static const char *const list_names[] = { "host", "hostaddr", "port" };
#define LISTS NITEMS(list_names)
#define STOPPING_MS 250 /* a wait while a stop is asked */

struct db {
	char *conninfo;
	char *application_name;
	PGconn *conn;	  /* NULL = not connected */
	int64_t until_ms; /* no call waits past it; 0 = there is no such time */
	/* Lists as the connection string has them; NULL = it has none. */
	char *lists[LISTS];
	size_t nhosts, first; /* a connection begins with the first-th host */
	int stop_fd;	      /* readable when a stop was asked; -1 = none */
	char errstr[512];
	char sqlstate[6];
	char table[64]; /* that a failed statement named; "" = none */
	enum db_fault fault;
};

/* Keeps the first line of text as the reason of the last failure. */
static void
complain(struct db *db, enum db_fault fault, const char *text)
{
	size_t n = strcspn(text, "\r\n");

	if (n >= sizeof(db->errstr))
		n = sizeof(db->errstr) - 1;
	memcpy(db->errstr, text, n);
	db->errstr[n] = '\0';
	db->fault = fault;
}

static void
calm(struct db *db)
{
	db->errstr[0] = '\0';
	db->sqlstate[0] = db->table[0] = '\0';
	db->fault = DB_FAULT_NONE;
}

/* Drops the connection because of text (may be libpq's own). */
static void
lose(struct db *db, const char *text)
{
	complain(db, DB_FAULT_LOST, text);
	PQfinish(db->conn);
	db->conn = NULL;
}

static enum db_fault
fault_of(const char *sqlstate)
{
	/* clang-format off */
	static const struct { const char *prefix; enum db_fault fault; } classes[] = {
		{ "08", DB_FAULT_LOST },   /* connection exceptions */
		{ "25006", DB_FAULT_LOST }, /* read-only: the wrong server */
		{ "57P", DB_FAULT_LOST },  /* shutdown, crash, starting up */
		{ "40", DB_FAULT_RETRY },  /* serialization, deadlock */
		{ "53", DB_FAULT_RETRY },  /* disk full, memory, connections */
		{ "55", DB_FAULT_RETRY },  /* lock not available */
		{ "57", DB_FAULT_RETRY },  /* cancelled, statement timeout */
		{ "58", DB_FAULT_RETRY },  /* I/O error outside PostgreSQL */
		{ "25P03", DB_FAULT_LOST }, /* idle in transaction too long */
		{ "22", DB_FAULT_RECORD },
		{ "23", DB_FAULT_RECORD },
	};
	/* clang-format on */
	size_t i;

	for (i = 0; i < NITEMS(classes); i++)
		if (strncmp(sqlstate, classes[i].prefix,
			strlen(classes[i].prefix)) == 0)
			return classes[i].fault;
	return DB_FAULT_STOP;
}

/* Until the socket is ready, or the deadline, or soon in a stop, passed: -1. */
static int
wait_socket(struct db *db, short events, int64_t deadline)
{
	struct pollfd pfd[] = { { .fd = PQsocket(db->conn), .events = events },
		{ .fd = db->stop_fd, .events = POLLIN } };
	int64_t soon;
	int n;

	do {
		n = poll(pfd, 2, clock_left_ms(deadline));
		if (n > 0 && pfd[0].revents != 0)
			return 0;
		if (n > 0) {
			soon = clock_mono_ms() + STOPPING_MS;
			deadline = soon < deadline ? soon : deadline;
			pfd[1].fd = -1;
		}
	} while (n > 0 || (n == -1 && errno == EINTR));
	lose(db, n == 0 ? "no answer in time" : strerror(errno));
	return -1;
}

static size_t
entries(const char *list)
{
	size_t n = 1;

	if (list == NULL)
		return 0;
	while ((list = strchr(list, ',')) != NULL) {
		list++;
		n++;
	}
	return n;
}

static void
find_hosts(struct db *db)
{
	PQconninfoOption *all = PQconninfoParse(db->conninfo, NULL), *o;
	size_t i;

	for (o = all; o != NULL && o->keyword != NULL; o++)
		for (i = 0; i < LISTS; i++)
			if (o->val != NULL &&
			    strcmp(o->keyword, list_names[i]) == 0)
				db->lists[i] = xstrdup(o->val);
	PQconninfoFree(all);
	db->nhosts = entries(db->lists[0]);
	if (entries(db->lists[1]) > db->nhosts)
		db->nhosts = entries(db->lists[1]);
}

/* The list with its first by entries put last; the caller frees it. */
static char *
rotated(const char *list, size_t by)
{
	const char *cut = list;
	size_t size;
	char *out;

	if (list == NULL)
		return NULL;
	if (by == 0 || entries(list) <= by)
		return xstrdup(list);
	while (by-- > 0)
		cut = strchr(cut, ',') + 1;
	size = strlen(list) + 1;
	out = xcalloc(size, 1);
	snprintf(out, size, "%s,%.*s", cut, (int)(cut - list - 1), list);
	return out;
}

/*
 * Makes a handle; nothing is connected yet.  conninfo is a libpq connection
 * string.
 */
struct db *
db_open(const char *conninfo, const char *application_name)
{
	struct db *db = xcalloc(1, sizeof(*db));

	db->stop_fd = -1;
	db->conninfo = xstrdup(conninfo);
	db->application_name = xstrdup(application_name);
	find_hosts(db);
	return db;
}

/* From now on no call waits past a time (monotonic ms; 0: there is none). */
void
db_until(struct db *db, int64_t deadline_ms)
{
	db->until_ms = deadline_ms;
}

/* Once fd is readable (-1: never) no answer is awaited past STOPPING_MS. */
void
db_until_stop(struct db *db, int fd)
{
	db->stop_fd = fd;
}

static int64_t
deadline_in(const struct db *db, int timeout_ms)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;

	return db->until_ms != 0 && db->until_ms < deadline ? db->until_ms
							    : deadline;
}

bool
db_connected(const struct db *db)
{
	return db->conn != NULL;
}

static void
ignore_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

/* Returns 0 when the started connection is up, -1 when it is not to be. */
static int
finish_connect(struct db *db, int64_t deadline)
{
	PostgresPollingStatusType st = PGRES_POLLING_WRITING;

	if (PQstatus(db->conn) == CONNECTION_BAD) {
		lose(db, PQerrorMessage(db->conn));
		return -1;
	}
	while (st != PGRES_POLLING_OK) {
		if (st == PGRES_POLLING_FAILED) {
			lose(db, PQerrorMessage(db->conn));
			return -1;
		}
		if (wait_socket(db,
			st == PGRES_POLLING_READING ? POLLIN : POLLOUT,
			deadline) == -1)
			return -1;
		st = PQconnectPoll(db->conn);
	}
	return 0;
}

static PGconn *
start_connect(struct db *db)
{
	char *host = rotated(db->lists[0], db->first);
	char *hostaddr = rotated(db->lists[1], db->first);
	char *port = rotated(db->lists[2], db->first);
	/* The connection string may overrule what stands before it. */
	const char *const names[] = { "fallback_application_name",
		"keepalives_idle", "keepalives_interval", "keepalives_count",
		"tcp_user_timeout", "dbname", list_names[0], list_names[1],
		list_names[2], "client_encoding", NULL };
	const char *const values[] = { db->application_name, "5", "2", "2",
		"5000", db->conninfo, host, hostaddr, port, "UTF8", NULL };
	PGconn *conn = PQconnectStartParams(names, values, 1);

	free(host);
	free(hostaddr);
	free(port);
	return conn;
}

/*
 * Connects if need be.  Returns 0, or -1 with the reason in db_errstr().  Of
 * several hosts libpq goes on to the next when one refuses, but waits for one
 * that is silent: the next time begins behind it.
 */
int
db_connect(struct db *db, int timeout_ms)
{
	int64_t deadline = deadline_in(db, timeout_ms);

	if (db->conn != NULL)
		return 0;
	calm(db);
	db->conn = start_connect(db);
	if (db->conn == NULL) {
		complain(db, DB_FAULT_LOST, "out of memory");
		return -1;
	}
	if (finish_connect(db, deadline) == -1) {
		if (db->nhosts > 1)
			db->first = (db->first + 1) % db->nhosts;
		return -1;
	}
	PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
	if (PQsetnonblocking(db->conn, 1) == -1) {
		lose(db, PQerrorMessage(db->conn));
		return -1;
	}
	return 0;
}

static int
flush(struct db *db, int64_t deadline)
{
	int n;

	while ((n = PQflush(db->conn)) == 1) {
		/* The server may wait for us to read before it reads on. */
		if (wait_socket(db, POLLIN | POLLOUT, deadline) == -1)
			return -1;
		if (PQconsumeInput(db->conn) == 0) {
			n = -1;
			break;
		}
	}
	if (n == -1) {
		lose(db, PQerrorMessage(db->conn));
		return -1;
	}
	return 0;
}

/* The last result of the statement; NULL when the connection was lost. */
static PGresult *
collect(struct db *db, int64_t deadline)
{
	PGresult *res, *last = NULL;

	for (;;) {
		while (PQisBusy(db->conn) == 1) {
			if (wait_socket(db, POLLIN, deadline) == -1)
				goto lost;
			if (PQconsumeInput(db->conn) == 0) {
				lose(db, PQerrorMessage(db->conn));
				goto lost;
			}
		}
		if ((res = PQgetResult(db->conn)) == NULL)
			return last;
		PQclear(last);
		last = res;
	}
lost:
	PQclear(last);
	return NULL;
}

/* Sorts out a failed result: what it asks for, and why. */
static void
judge(struct db *db, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *table = PQresultErrorField(res, PG_DIAG_TABLE_NAME);

	if (text == NULL)
		text = PQresultErrorMessage(res);
	snprintf(db->sqlstate, sizeof(db->sqlstate), "%s",
	    state == NULL ? "" : state);
	snprintf(
	    db->table, sizeof(db->table), "%s", table == NULL ? "" : table);
	/* A terminated backend leaves no SQLSTATE: look at the state first. */
	if (PQstatus(db->conn) != CONNECTION_OK) {
		lose(db, text);
		return;
	}
	complain(db, state == NULL ? DB_FAULT_LOST : fault_of(state), text);
	if (db->fault == DB_FAULT_LOST) {
		PQfinish(db->conn);
		db->conn = NULL;
	}
}

/*
 * Runs one statement with bound parameters (params may be NULL) and waits for
 * its end, connecting first if need be; timeout_ms bounds all of it.  Results
 * come as text.  Returns the result (the caller clears it), or NULL:
 * db_fault(), db_errstr() and db_sqlstate() say why.
 */
PGresult *
db_query(struct db *db, const char *sql, const struct db_params *params,
    int timeout_ms)
{
	static const struct db_params none;
	int64_t deadline = deadline_in(db, timeout_ms);
	PGresult *res = NULL;

	if (params == NULL)
		params = &none;
	if (db_connect(db, timeout_ms) == -1)
		return NULL;
	calm(db);
	if (PQsendQueryParams(db->conn, sql, params->n, params->types,
		params->values, params->lengths, params->formats, 0) == 0) {
		lose(db, PQerrorMessage(db->conn));
		return NULL;
	}
	if (flush(db, deadline) == -1)
		return NULL;
	if ((res = collect(db, deadline)) == NULL) {
		if (db->conn != NULL)
			lose(db, "no result");
		return NULL;
	}
	if (PQresultStatus(res) == PGRES_TUPLES_OK ||
	    PQresultStatus(res) == PGRES_COMMAND_OK)
		return res;
	judge(db, res);
	PQclear(res);
	return NULL;
}

/* db_query() without parameters for statements whose result is of no use. */
int
db_exec(struct db *db, const char *sql, int timeout_ms)
{
	PGresult *res = db_query(db, sql, NULL, timeout_ms);

	if (res == NULL)
		return -1;
	PQclear(res);
	return 0;
}

/*
 * COMMIT, and believe only the tag: a failed transaction answers OK with
 * "ROLLBACK".  After DB_FAULT_LOST the outcome is unknown.
 */
int
db_commit(struct db *db, int timeout_ms)
{
	PGresult *res = db_query(db, "COMMIT", NULL, timeout_ms);
	int rc = -1;

	if (res == NULL)
		return -1;
	if (strcmp(PQcmdStatus(res), "COMMIT") == 0)
		rc = 0;
	else
		complain(db, DB_FAULT_RETRY,
		    "the transaction was rolled back at its commit");
	PQclear(res);
	return rc;
}

enum db_fault
db_fault(const struct db *db)
{
	return db->fault;
}

/* Borrows the reason of the last failure, one line; "" = there was none. */
const char *
db_errstr(const struct db *db)
{
	return db->errstr;
}

/* Borrows the SQLSTATE of the last failure; "" = the server gave none. */
const char *
db_sqlstate(const struct db *db)
{
	return db->sqlstate;
}

/* Borrows the table that the last failure names; "" = it names none. */
const char *
db_table(const struct db *db)
{
	return db->table;
}

/* Process id of the server's backend, 0 when there is no connection. */
int
db_backend_pid(const struct db *db)
{
	return db->conn == NULL ? 0 : PQbackendPID(db->conn);
}

/* Closes the connection, keeps the handle: the next call connects anew. */
void
db_drop(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
}

void
db_close(struct db *db)
{
	size_t i;

	if (db == NULL)
		return;
	PQfinish(db->conn);
	for (i = 0; i < LISTS; i++)
		free(db->lists[i]);
	free(db->conninfo);
	free(db->application_name);
	free(db);
}
