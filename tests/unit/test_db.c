/*
 * The PostgreSQL handle against servers that misbehave.  A server that works
 * is the business of tests/db and tests/e2e.
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/db.h"

static char dir[] = "/tmp/turnout-test-db-XXXXXX";
static char conninfo[128];
static int listener = -1;

/* A socket where libpq looks for a server on port 5432. */
static int
setup(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/.s.PGSQL.5432", dir);
	snprintf(conninfo, sizeof(conninfo), "host=%s port=5432", dir);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (listener == -1 ||
	    bind(listener, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(listener, 8) == -1)
		return -1;
	return 0;
}

static int
teardown(void **state)
{
	char path[128];

	(void)state;
	close(listener);
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", dir);
	unlink(path);
	rmdir(dir);
	return 0;
}

static void
no_server_is_a_lost_connection_with_a_reason(void **state)
{
	struct db *db = db_open("host=/nonexistent port=5432", "test");

	(void)state;
	assert_int_equal(db_exec(db, "SELECT 1", 1000), -1);
	assert_int_equal(db_fault(db), DB_FAULT_LOST);
	assert_true(strlen(db_errstr(db)) > 0);
	assert_null(strchr(db_errstr(db), '\n'));
	assert_string_equal(db_sqlstate(db), "");
	assert_false(db_connected(db));
	db_close(db);
	db_close(NULL);
}

static void
a_silent_server_costs_the_timeout_and_no_more(void **state)
{
	struct db *db = db_open(conninfo, "test");
	int64_t start = clock_mono_ms();

	(void)state;
	assert_int_equal(db_connect(db, 200), -1);
	assert_in_range(clock_mono_ms() - start, 190, 1500);
	assert_int_equal(db_fault(db), DB_FAULT_LOST);
	assert_string_equal(db_errstr(db), "no answer in time");
	assert_false(db_connected(db));
	db_close(db);
	close(accept(listener, NULL, NULL));
}

/* Answers the first connection with what arg says, then closes it. */
static void *
answer_once(void *arg)
{
	const char *reply = arg;
	char sink[1024];
	int fd = accept(listener, NULL, NULL);

	if (recv(fd, sink, sizeof(sink), 0) > 0 &&
	    send(fd, reply, strlen(reply), MSG_NOSIGNAL) == -1)
		perror("send");
	close(fd);
	return NULL;
}

static void
fails_soon_after(const char *reply)
{
	struct db *db = db_open(conninfo, "test");
	int64_t start = clock_mono_ms();
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, answer_once,
			     (void *)(uintptr_t)reply),
	    0);
	assert_int_equal(db_exec(db, "SELECT 1", 2000), -1);
	assert_true(clock_mono_ms() - start < 1500);
	assert_int_equal(db_fault(db), DB_FAULT_LOST);
	assert_true(strlen(db_errstr(db)) > 0);
	pthread_join(thread, NULL);
	db_close(db);
}

static void
a_server_that_hangs_up_or_babbles_is_lost(void **state)
{
	(void)state;
	fails_soon_after("");
	fails_soon_after("HTTP/1.1 400 Bad Request\r\n\r\n");
	fails_soon_after("R");
}

/* Lets the first connection in, and answers its first statement with tag. */
static void *
complete_once(void *arg)
{
	static const char welcome[] = "R\0\0\0\10\0\0\0\0Z\0\0\0\5I";
	const char *tag = arg;
	char answer[64] = "1\0\0\0\0042\0\0\0\4n\0\0\0\4C\0\0\0", sink[1024];
	size_t n = 19, len = strlen(tag) + 1;
	int fd = accept(listener, NULL, NULL);

	answer[n++] = (char)(4 + len);
	memcpy(answer + n, tag, len);
	n += len;
	memcpy(answer + n, "Z\0\0\0\5I", 6);
	n += 6;
	if (recv(fd, sink, sizeof(sink), 0) <= 0 ||
	    send(fd, welcome, sizeof(welcome) - 1, MSG_NOSIGNAL) == -1 ||
	    recv(fd, sink, sizeof(sink), 0) <= 0 ||
	    send(fd, answer, n, MSG_NOSIGNAL) == -1)
		perror("complete_once");
	close(fd);
	return NULL;
}

static int
commit_answered_with(const char *tag, enum db_fault *fault)
{
	struct db *db = db_open(conninfo, "test");
	pthread_t thread;
	int rc;

	assert_int_equal(pthread_create(&thread, NULL, complete_once,
			     (void *)(uintptr_t)tag),
	    0);
	rc = db_commit(db, 2000);
	*fault = db_fault(db);
	pthread_join(thread, NULL);
	db_close(db);
	return rc;
}

/* PostgreSQL answers the COMMIT of a failed transaction with success. */
static void
a_commit_counts_only_with_its_tag(void **state)
{
	enum db_fault fault;

	(void)state;
	assert_int_equal(commit_answered_with("COMMIT", &fault), 0);
	assert_int_equal(commit_answered_with("ROLLBACK", &fault), -1);
	assert_int_equal(fault, DB_FAULT_RETRY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_server_is_a_lost_connection_with_a_reason),
		cmocka_unit_test(a_silent_server_costs_the_timeout_and_no_more),
		cmocka_unit_test(a_server_that_hangs_up_or_babbles_is_lost),
		cmocka_unit_test(a_commit_counts_only_with_its_tag),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
