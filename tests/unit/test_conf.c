/* A configuration is taken whole or refused with file, line and key. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/conf.h"

struct sample {
	char *name;
	long workers;
	bool members;
	int start;
	struct conf_pairs rdkafka;
};

static const char *const starts[] = { "earliest", "latest", NULL };

#define KEY(f) offsetof(struct sample, f)
/* clang-format off */
static const struct conf_key keys[] = {
	{ "pg.conninfo", CONF_STRING, KEY(name), 0, 0, "dbname=x", NULL, "" },
	{ "pool.workers", CONF_NUMBER, KEY(workers), 1, 256, "4", NULL, "" },
	{ "store.members", CONF_BOOL, KEY(members), 0, 0, "yes", NULL, "" },
	{ "kafka.start", CONF_CHOICE, KEY(start), 0, 0, "earliest", starts, "" },
	{ "rdkafka.*", CONF_PAIRS, KEY(rdkafka), 0, 0, NULL, NULL, "" },
};
/* clang-format on */
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

static char path[] = "/tmp/turnout-test-conf-XXXXXX";

static void
write_file(const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

/* Loads text; returns what conf_load said. */
static int
load(struct sample *s, const char *text, struct buf *why)
{
	memset(s, 0, sizeof(*s));
	write_file(text, strlen(text));
	return conf_load(s, keys, NKEYS, path, why);
}

static void
presets_hold_without_a_file(void **state)
{
	struct buf why = { 0 };
	struct sample s = { 0 };

	(void)state;
	assert_int_equal(conf_load(&s, keys, NKEYS, NULL, &why), 0);
	assert_string_equal(s.name, "dbname=x");
	assert_int_equal(s.workers, 4);
	assert_true(s.members);
	assert_int_equal(s.start, 0);
	assert_int_equal(s.rdkafka.n, 0);
	conf_free(&s, keys, NKEYS);
	conf_free(&s, keys, NKEYS);
	buf_free(&why);
}

static void
the_file_sets_and_passes_pairs_through(void **state)
{
	struct buf why = { 0 };
	struct sample s;

	(void)state;
	assert_int_equal(load(&s,
			     "# comment\r\n[pg]\r\nconninfo = host=/run ; "
			     "dbname=y\r\n[pool]\nworkers=16\n"
			     "[store]\nmembers = no\n[kafka]\nstart=latest\n"
			     "[rdkafka]\nssl.ca.location = /a b\n"
			     "debug=all",
			     &why),
	    0);
	/* An inline ";" belongs to the value: nothing is silently trimmed. */
	assert_string_equal(s.name, "host=/run ; dbname=y");
	assert_int_equal(s.workers, 16);
	assert_false(s.members);
	assert_int_equal(s.start, 1);
	assert_int_equal(s.rdkafka.n, 2);
	assert_string_equal(s.rdkafka.names[0], "ssl.ca.location");
	assert_string_equal(s.rdkafka.values[0], "/a b");
	conf_free(&s, keys, NKEYS);
	buf_free(&why);
}

static void
the_environment_overrides_the_file(void **state)
{
	struct buf why = { 0 };
	struct sample s;

	(void)state;
	setenv("TURNOUT_POOL_WORKERS", "9", 1);
	assert_int_equal(load(&s, "[pool]\nworkers = 5\n", &why), 0);
	assert_int_equal(s.workers, 9);
	conf_free(&s, keys, NKEYS);
	setenv("TURNOUT_POOL_WORKERS", "many", 1);
	assert_int_equal(load(&s, "", &why), -1);
	assert_string_equal(buf_str(&why),
	    "environment: TURNOUT_POOL_WORKERS must be a whole number from 1 "
	    "to 256, not \"many\"");
	unsetenv("TURNOUT_POOL_WORKERS");
	buf_free(&why);
}

static void
complaints_name_file_line_and_key(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *why; } cases[] = {
		{ "[pool]\nworkers = 0\n", ":2: \"pool.workers\" must be a whole number from 1 to 256, not \"0\"" },
		{ "[pool]\nworkers = 257\n", ":2: \"pool.workers\" must be" },
		{ "[pool]\nworkers = 10x\n", ":2: \"pool.workers\" must be" },
		{ "[pool]\nworkers = +5\n", ":2: \"pool.workers\" must be" },
		{ "[pool]\nworkers = 0x10\n", ":2: \"pool.workers\" must be" },
		{ "[pool]\nworkers =\n", ":2: \"pool.workers\" must be" },
		{ "[pool]\nworkers = 99999999999999999999\n", ":2: \"pool.workers\" must be" },
		{ "\n\n[pool]\nwrokers = 4\n", ":4: unknown key \"pool.wrokers\"" },
		{ "workers = 4\n", ":1: unknown key \"workers\"" },
		{ "[pool]\nworkers = 4\nworkers = 4\n", ":3: \"pool.workers\" is set twice" },
		{ "[store]\nmembers = true\n", ":2: \"store.members\" must be yes or no, not \"true\"" },
		{ "[kafka]\nstart = newest\n", ":2: \"kafka.start\" must be earliest or latest, not \"newest\"" },
		{ "[pool\nworkers = 4\n", ":1: expected [section] or name = value" },
		{ "[pool]\nworkers\n", ":2: expected [section] or name = value" },
		{ "[pool]\n  indented = 4\n", ":2: unknown key \"pool.indented\"" },
	};
	/* clang-format on */
	struct buf why = { 0 };
	struct sample s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(load(&s, cases[i].text, &why), -1);
		if (strncmp(buf_str(&why), path, strlen(path)) != 0 ||
		    strncmp(buf_str(&why) + strlen(path), cases[i].why,
			strlen(cases[i].why)) != 0)
			fail_msg("case %zu: %s", i, buf_str(&why));
		assert_null(s.name);
	}
	buf_free(&why);
}

static void
a_line_too_long_is_refused_not_cut(void **state)
{
	static const char head[] = "[pg]\nconninfo = ";
	struct buf text = { 0 }, why = { 0 };
	struct sample s;
	size_t i;

	(void)state;
	buf_adds(&text, head);
	for (i = 0; i < CONF_LINE_MAX; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\n");
	assert_int_equal(load(&s, buf_str(&text), &why), -1);
	assert_non_null(strstr(buf_str(&why), ":2: line is longer than"));
	/* The longest line that is allowed comes through whole. */
	buf_clear(&text);
	buf_adds(&text, head);
	for (i = 0; i < CONF_LINE_MAX - strlen("conninfo = ") - 2; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\n");
	assert_int_equal(load(&s, buf_str(&text), &why), 0);
	assert_int_equal(strlen(s.name), i);
	conf_free(&s, keys, NKEYS);
	buf_free(&text);
	buf_free(&why);
}

static void
a_file_that_cannot_be_read_is_an_error(void **state)
{
	struct buf why = { 0 };
	struct sample s = { 0 };

	(void)state;
	assert_int_equal(
	    conf_load(&s, keys, NKEYS, "/nonexistent/x", &why), -1);
	assert_string_equal(buf_str(&why),
	    "/nonexistent/x: could not open: No such file or directory");
	memset(&s, 0, sizeof(s));
	assert_int_equal(conf_load(&s, keys, NKEYS, "/tmp", &why), -1);
	assert_non_null(strstr(buf_str(&why), "could not read"));
	buf_free(&why);
}

static void
what_is_printed_can_be_loaded(void **state)
{
	struct buf why = { 0 }, first = { 0 }, second = { 0 };
	struct sample s;

	(void)state;
	assert_int_equal(
	    load(&s, "[pool]\nworkers=7\n[rdkafka]\na.b=c=d\n", &why), 0);
	conf_print(&s, keys, NKEYS, &first);
	conf_free(&s, keys, NKEYS);
	assert_int_equal(load(&s, buf_str(&first), &why), 0);
	conf_print(&s, keys, NKEYS, &second);
	assert_string_equal(buf_str(&first), buf_str(&second));
	assert_non_null(strstr(buf_str(&first), "a.b = c=d"));
	conf_free(&s, keys, NKEYS);
	buf_free(&first);
	buf_free(&second);
	buf_free(&why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets_hold_without_a_file),
		cmocka_unit_test(the_file_sets_and_passes_pairs_through),
		cmocka_unit_test(the_environment_overrides_the_file),
		cmocka_unit_test(complaints_name_file_line_and_key),
		cmocka_unit_test(a_line_too_long_is_refused_not_cut),
		cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
		cmocka_unit_test(what_is_printed_can_be_loaded),
	};
	int fd = mkstemp(path), rc;

	if (fd == -1)
		return 1;
	close(fd);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
