/* CSV as RFC 4180 has it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fcgi/csv.h"
#include "lib/buf.h"

static void
texts_are_quoted_where_they_must_be(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *csv; } cases[] = {
		{ "plain", "plain" }, { " a b ", " a b " }, { "é", "é" },
		{ NULL, "" }, { "", "\"\"" }, { "a,b", "\"a,b\"" },
		{ "\"", "\"\"\"\"" }, { "a\"b", "\"a\"\"b\"" },
		{ "a\nb", "\"a\nb\"" }, { "a\rb", "\"a\rb\"" },
		{ "=1+1", "=1+1" }, { "a;b", "a;b" }, { "'", "'" },
	};
	/* clang-format on */
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(cases); i++) {
		buf_clear(&b);
		csv_text(&b, cases[i].text);
		assert_true(b.len > 0);
		assert_int_equal(b.data[b.len - 1], ',');
		b.data[b.len - 1] = '\0';
		assert_string_equal(b.data, cases[i].csv);
	}
	buf_free(&b);
}

static void
a_record_ends_with_crlf_and_no_comma(void **state)
{
	struct buf b = { 0 };

	(void)state;
	csv_int(&b, -5);
	csv_text(&b, NULL);
	csv_double(&b, 0.5);
	csv_text(&b, NULL);
	csv_end(&b);
	assert_string_equal(buf_str(&b), "-5,,0.5,\r\n");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_quoted_where_they_must_be),
		cmocka_unit_test(a_record_ends_with_crlf_and_no_comma),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
