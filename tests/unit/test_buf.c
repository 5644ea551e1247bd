/* struct buf grows, stays terminated, and can be used again. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"

static void
empty_buffer_is_the_empty_string(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_clear(&b);
	buf_add(&b, NULL, 0);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_str(&b), "");
	buf_free(&b);
	buf_free(&b);
}

static void
growing_keeps_every_byte(void **state)
{
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 100000; i++)
		buf_addc(&b, (char)('a' + i % 26));
	assert_int_equal(b.len, 100000);
	assert_true(b.cap > b.len);
	for (i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	assert_int_equal(b.data[100000], '\0');
	buf_free(&b);
}

static void
formatted_text_may_be_longer_than_the_room(void **state)
{
	struct buf b = { 0 };
	char word[1001];

	(void)state;
	memset(word, 'x', 1000);
	word[1000] = '\0';
	buf_adds(&b, "<");
	buf_addf(&b, "%s|%d", word, -7);
	buf_adds(&b, ">");
	assert_int_equal(b.len, 1 + 1000 + 3 + 1);
	assert_string_equal(buf_str(&b) + 1001, "|-7>");
	buf_free(&b);
}

static void
bytes_may_hold_nul(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add(&b, "a\0b", 3);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_buffer_is_the_empty_string),
		cmocka_unit_test(growing_keeps_every_byte),
		cmocka_unit_test(formatted_text_may_be_longer_than_the_room),
		cmocka_unit_test(bytes_may_hold_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
