/* A log record is one escaped line, never blocks, and repeats are folded. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/log.h"

static int pipefd[2];
static int saved_stderr;

static int
setup(void **state)
{
	(void)state;
	if (pipe2(pipefd, O_NONBLOCK) == -1)
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	dup2(pipefd[1], STDERR_FILENO);
	log_open("turnout-test", LOG_LEVEL_INFO);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(pipefd[0]);
	close(pipefd[1]);
	return 0;
}

/* What was logged since the last look. */
static const char *
logged(void)
{
	static char text[70000];
	ssize_t n = read(pipefd[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
a_record_is_one_line_with_time_program_and_level(void **state)
{
	const char *line;
	int y, mo, d, h, mi, s, at = -1;
	long pid;

	(void)state;
	log_warn("could not %s", "x");
	line = logged();
	assert_int_equal(sscanf(line,
			     "%4d-%2d-%2dT%2d:%2d:%2dZ turnout-test[%ld] "
			     "warn: could not x%n",
			     &y, &mo, &d, &h, &mi, &s, &pid, &at),
	    7);
	assert_true(at > 0);
	assert_string_equal(line + at, "\n");
	assert_int_equal(pid, getpid());
}

static void
text_from_outside_cannot_make_a_line(void **state)
{
	(void)state;
	log_error("name \"%s\"", "a\nb\x1b[31m\r\x7f\xc3\xa9");
	assert_non_null(
	    strstr(logged(), "name \"a\\x0ab\\x1b[31m\\x0d\\x7f\xc3\xa9\"\n"));
}

static void
levels_below_the_threshold_are_silent_and_errno_stays(void **state)
{
	(void)state;
	log_debug("unseen");
	assert_string_equal(logged(), "");
	errno = EDOM;
	log_info("seen");
	assert_int_equal(errno, EDOM);
	assert_non_null(strstr(logged(), "info: seen"));
}

static void
a_record_longer_than_a_line_is_cut_and_ended(void **state)
{
	char big[5000];
	const char *line;

	(void)state;
	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_warn("%s", big);
	line = logged();
	assert_true(strlen(line) < 2048);
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void
a_reader_that_stopped_does_not_stop_us(void **state)
{
	uint64_t before = log_dropped();
	int flags = fcntl(pipefd[1], F_GETFL), i;

	(void)state;
	/* A blocking pipe that nobody reads: a write() would hang here. */
	fcntl(pipefd[1], F_SETFL, flags & ~O_NONBLOCK);
	for (i = 0; i < 10000; i++)
		log_warn("a line that fills the pipe");
	assert_true(log_dropped() > before);
	(void)logged();
}

static void
repeated_trouble_is_said_once_and_its_end_too(void **state)
{
	struct log_trouble t = { .what = "PostgreSQL" };
	const char *text;
	int i;

	(void)state;
	while (*logged() != '\0')
		;
	log_trouble_over(&t);
	assert_string_equal(logged(), "");
	for (i = 0; i < 100; i++)
		log_trouble(&t, "could not connect: %s", "refused");
	text = logged();
	assert_non_null(strstr(text, "warn: could not connect: refused\n"));
	assert_null(strchr(strchr(text, '\n') + 1, '\n'));
	log_trouble(&t, "could not connect: %s", "not permitted");
	assert_string_equal(logged(), "");
	t.said_ms -= 5000;
	log_trouble(&t, "could not connect: %s", "refused");
	assert_string_equal(logged(), "");
	log_trouble(&t, "could not connect: %s", "not permitted");
	assert_non_null(strstr(logged(), "not permitted (102 times in"));
	t.said_ms -= 5000;
	log_trouble(&t, "could not connect: %s", "not permitted");
	assert_string_equal(logged(), "");
	log_trouble_over(&t);
	assert_non_null(strstr(logged(), "info: PostgreSQL is back after"));
	log_trouble_over(&t);
	assert_string_equal(logged(), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_record_is_one_line_with_time_program_and_level),
		cmocka_unit_test(text_from_outside_cannot_make_a_line),
		cmocka_unit_test(
		    levels_below_the_threshold_are_silent_and_errno_stays),
		cmocka_unit_test(a_record_longer_than_a_line_is_cut_and_ended),
		cmocka_unit_test(a_reader_that_stopped_does_not_stop_us),
		cmocka_unit_test(repeated_trouble_is_said_once_and_its_end_too),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
