/* An answer of any length arrives as well-formed FastCGI records. */
#include "config.h"

#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fcgi/record.h"
#include "lib/buf.h"

/* What a web server reads: the standard output, up to the end. */
static void
read_records(int fd, struct buf *out, int id)
{
	unsigned char raw[8];
	struct buf all = { 0 };
	static char chunk[65536];
	const unsigned char *p;
	size_t at = 0, len;
	ssize_t n;
	int ended = 0;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&all, chunk, (size_t)n);
	while (at < all.len) {
		assert_true(at + 8 <= all.len);
		memcpy(raw, all.data + at, 8);
		p = raw;
		assert_int_equal(p[0], 1);
		assert_int_equal(p[2] << 8 | p[3], id);
		len = (size_t)p[4] << 8 | p[5];
		at += 8;
		if (p[1] == 6) {
			assert_int_equal(ended, 0);
			buf_add(out, all.data + at, len);
			ended = len == 0;
		} else {
			assert_int_equal(p[1], 3);
			assert_int_equal(ended, 1);
			assert_int_equal(len, 8);
			assert_memory_equal(
			    all.data + at, "\0\0\0\0\0\0\0\0", 8);
			ended = 2;
		}
		at += len + p[6];
	}
	assert_int_equal(at, all.len);
	assert_int_equal(ended, 2);
	buf_free(&all);
}

static void
any_length_arrives_whole(void **state)
{
	const size_t lengths[] = { 0, 1, 65527, 65528, 65529, 131056, 150000 };
	int room = 1 << 20, fds[2];
	struct buf sent = { 0 }, got = { 0 };
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		buf_clear(&sent);
		buf_clear(&got);
		for (j = 0; j < lengths[i]; j++)
			buf_addc(&sent, (char)('a' + j % 26));
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
		assert_int_equal(
		    record_send(fds[0], 0x0102, buf_str(&sent), sent.len), 0);
		close(fds[0]);
		read_records(fds[1], &got, 0x0102);
		close(fds[1]);
		assert_int_equal(got.len, sent.len);
		assert_string_equal(buf_str(&got), buf_str(&sent));
	}
	buf_free(&sent);
	buf_free(&got);
}

static void
a_peer_that_is_gone_is_an_error_and_no_signal(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	close(fds[1]);
	assert_int_equal(record_send(fds[0], 1, "x", 1), -1);
	close(fds[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_length_arrives_whole),
		cmocka_unit_test(a_peer_that_is_gone_is_an_error_and_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
