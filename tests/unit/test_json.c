/* JSON values: escaped, safe in a script element, numbers exact. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/json.h"
#include "lib/buf.h"

static void
string_is(const char *in, const char *want)
{
	struct buf b = { 0 };

	json_cstring(&b, in);
	assert_string_equal(buf_str(&b), want);
	buf_free(&b);
}

static void
text_is_escaped_where_json_wants_it(void **state)
{
	(void)state;
	string_is(NULL, "null");
	string_is("", "\"\"");
	string_is("plain \xc3\xbc \xf0\x9f\x91\xa8",
	    "\"plain \xc3\xbc"
	    " \xf0\x9f\x91\xa8\"");
	string_is("a\"b\\c", "\"a\\\"b\\\\c\"");
	string_is("\n\r\t\b\f\x01\x1f\x7f",
	    "\"\\n\\r\\t\\u0008\\u000c\\u0001\\u001f\\u007f\"");
}

static void
text_cannot_leave_a_script_element(void **state)
{
	(void)state;
	string_is("</script>&", "\"\\u003c/script\\u003e\\u0026\"");
	string_is("a\xe2\x80\xa8"
		  "b\xe2\x80\xa9",
	    "\"a\\u2028b\\u2029\"");
	string_is("\xe2\x80\xaa\xe2\x80", "\"\xe2\x80\xaa\xe2\x80\"");
}

static void
a_string_may_hold_nul_and_be_cut_anywhere(void **state)
{
	struct buf b = { 0 };

	(void)state;
	json_string(&b, "a\0b", 3);
	json_string(&b, "\xe2\x80\xa8", 2);
	assert_string_equal(buf_str(&b), "\"a\\u0000b\"\"\xe2\x80\"");
	buf_free(&b);
}

static void
ready_json_keeps_its_shape(void **state)
{
	struct buf b = { 0 };

	(void)state;
	json_raw(&b, "[{\"a\": \"\\\"<&>\xe2\x80\xa9\"}]");
	json_raw(&b, NULL);
	assert_string_equal(
	    buf_str(&b), "[{\"a\": \"\\\"\\u003c\\u0026\\u003e\\u2029\"}]null");
	buf_free(&b);
}

static void
double_is(double d, const char *want)
{
	struct buf b = { 0 };

	json_double(&b, d);
	assert_string_equal(buf_str(&b), want);
	buf_free(&b);
}

static void
numbers_are_short_and_exact(void **state)
{
	struct buf b = { 0 };
	double d = -74.4;
	int i;

	(void)state;
	double_is(0.1, "0.1");
	double_is(10, "10");
	double_is(-74.4, "-74.4");
	double_is(1.0 / 3, "0.3333333333333333");
	double_is(0.1 + 0.2, "0.30000000000000004");
	double_is(1e300 * 1e10, "null");
	double_is(1e20, "1e+20");
	for (i = 0; i < 1000; i++, d = d * 1.00137 + 0.0001) {
		buf_clear(&b);
		json_double(&b, d);
		assert_true(strtod(buf_str(&b), NULL) == d);
	}
	buf_clear(&b);
	json_int(&b, INT64_MIN);
	assert_string_equal(buf_str(&b), "-9223372036854775808");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_escaped_where_json_wants_it),
		cmocka_unit_test(text_cannot_leave_a_script_element),
		cmocka_unit_test(a_string_may_hold_nul_and_be_cut_anywhere),
		cmocka_unit_test(ready_json_keeps_its_shape),
		cmocka_unit_test(numbers_are_short_and_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
