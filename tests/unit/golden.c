/* Compares a text with a file of tests/golden; see golden.h. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/golden.h"
#include "lib/buf.h"

static void
rewrite(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/*
 * Fails unless text is what the file holds.  With UPDATE_GOLDEN=1 the file is
 * written instead: read its diff before it is committed.
 */
void
assert_golden(const char *text, const char *name)
{
	const char *src = getenv("TURNOUT_SRCDIR");
	const char *update = getenv("UPDATE_GOLDEN");
	struct buf want = { 0 };
	char path[1024], part[4096];
	size_t got;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/golden/%s",
	    src == NULL ? "." : src, name);
	if (update != NULL && strcmp(update, "1") == 0)
		rewrite(path, text);
	if ((f = fopen(path, "re")) == NULL)
		fail_msg("cannot read %s", path);
	while ((got = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(&want, part, got);
	fclose(f);
	assert_string_equal(text, buf_str(&want));
	buf_free(&want);
}
