/* The pure parts of the cache: ring, breaker, envelope. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi/breaker.h"
#include "fcgi/envelope.h"
#include "fcgi/ring.h"

#define KEYS 30000
#define AGE_MAX 300000

static void
nodes_are_taken_or_refused(void **state)
{
	static const char *const good[] = { "", "  ", "unix:/run/r.sock",
		"127.0.0.1:6379", "[::1]:6379", "unix:/a unix:/b 10.0.0.1:1" };
	static const char *const bad[] = { "localhost:6379", "127.0.0.1",
		"127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "::1:6379x",
		"unix:relative", "unix:/a unix:/a", "[::1:6379" };
	const char *why = NULL;
	struct ring ring;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(good); i++) {
		assert_int_equal(ring_init(&ring, good[i], &why), 0);
		ring_free(&ring);
	}
	for (i = 0; i < NITEMS(bad); i++) {
		why = NULL;
		if (ring_init(&ring, bad[i], &why) != -1)
			fail_msg("took \"%s\"", bad[i]);
		assert_non_null(why);
	}
	assert_int_equal(ring_init(&ring, "", &why), 0);
	assert_int_equal(ring_node(&ring, "k", 1), -1);
}

static int
node_of(const struct ring *ring, int key)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "key%d", key);

	return ring_node(ring, text, (size_t)len);
}

static void
keys_are_spread_and_only_a_lost_nodes_keys_move(void **state)
{
	const char *why;
	struct ring three, other, two;
	int seen[3] = { 0 }, i, a, b;

	(void)state;
	assert_int_equal(ring_init(&three, "unix:/a unix:/b unix:/c", &why), 0);
	assert_int_equal(ring_init(&other, "unix:/c unix:/a unix:/b", &why), 0);
	assert_int_equal(ring_init(&two, "unix:/a unix:/c", &why), 0);
	for (i = 0; i < KEYS; i++) {
		a = node_of(&three, i);
		seen[a]++;
		b = node_of(&other, i);
		assert_string_equal(three.nodes[a].name, other.nodes[b].name);
		if (a != 1) {
			b = node_of(&two, i);
			assert_string_equal(
			    three.nodes[a].name, two.nodes[b].name);
		}
	}
	/* 10,000 each: a spread of 5% is 6 standard deviations. */
	for (i = 0; i < 3; i++)
		assert_in_range(seen[i], 9500, 10500);
	ring_free(&three);
	ring_free(&other);
	ring_free(&two);
}

static void
a_breaker_opens_waits_and_closes(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	assert_true(breaker_allows(&b, 1000));
	breaker_failed(&b, 1000, 500);
	assert_false(breaker_allows(&b, 1001));
	assert_false(breaker_allows(&b, 1499));
	assert_true(breaker_allows(&b, 1500));
	breaker_failed(&b, 1500, 500);
	assert_false(breaker_allows(&b, 1999));
	breaker_worked(&b);
	assert_true(breaker_allows(&b, 1501));
}

static void
sample(struct response *r)
{
	memset(r, 0, sizeof(*r));
	r->status = 200;
	r->type = RESPONSE_JSON;
	buf_adds(&r->body, "{\"stale\":,\"events\":[]}");
	r->mark_at = 9;
	r->etag = 0x1234;
	r->as_of_ms = 990;
}

static int
decode(const struct buf *b, const char *key, int64_t now, struct response *r)
{
	int64_t age;

	memset(r, 0, sizeof(*r));
	return envelope_decode(r, key, b->data, b->len, now, AGE_MAX, &age);
}

static void
what_was_kept_comes_back(void **state)
{
	struct response in, out = { 0 };
	struct buf b = { 0 };
	int64_t age = 0;

	(void)state;
	sample(&in);
	assert_int_equal(envelope_encode(&b, "t:k", &in, 1000), 0);
	assert_int_equal(
	    envelope_decode(&out, "t:k", b.data, b.len, 4000, AGE_MAX, &age),
	    0);
	assert_int_equal(age, 3000);
	assert_int_equal(out.status, 200);
	assert_int_equal(out.type, RESPONSE_JSON);
	assert_int_equal(out.mark_at, 9);
	assert_true(out.etag == 0x1234 && out.as_of_ms == 990);
	assert_string_equal(buf_str(&out.body), buf_str(&in.body));
	buf_free(&out.body);
	in.mark_at = RESPONSE_NO_MARK;
	buf_clear(&b);
	assert_int_equal(envelope_encode(&b, "t:k", &in, 1000), 0);
	assert_int_equal(decode(&b, "t:k", 1000, &out), 0);
	assert_true(out.mark_at == RESPONSE_NO_MARK);
	buf_free(&out.body);
	buf_free(&in.body);
	buf_free(&b);
}

static void
every_changed_byte_and_every_cut_is_a_miss(void **state)
{
	struct response in, out;
	struct buf b = { 0 };
	size_t i, len;

	(void)state;
	sample(&in);
	assert_int_equal(envelope_encode(&b, "t:k", &in, 1000), 0);
	len = b.len;
	for (i = 0; i < len; i++) {
		b.data[i] = (char)(b.data[i] ^ 1);
		if (decode(&b, "t:k", 1000, &out) != -1)
			fail_msg("byte %zu", i);
		b.data[i] = (char)(b.data[i] ^ 1);
	}
	for (b.len = 0; b.len < len; b.len++)
		assert_int_equal(decode(&b, "t:k", 1000, &out), -1);
	b.len = len;
	assert_int_equal(decode(&b, "t:k", 1000, &out), 0);
	buf_free(&out.body);
	buf_addc(&b, 'x');
	assert_int_equal(decode(&b, "t:k", 1000, &out), -1);
	buf_free(&in.body);
	buf_free(&b);
}

static void
another_key_another_time_and_too_much_are_misses(void **state)
{
	struct response in, out;
	struct buf b = { 0 };

	(void)state;
	sample(&in);
	in.as_of_ms = 1000000;
	assert_int_equal(envelope_encode(&b, "t:k", &in, 1000000), 0);
	assert_int_equal(decode(&b, "t:l", 1000000, &out), -1);
	assert_int_equal(decode(&b, "t:kk", 1000000, &out), -1);
	assert_int_equal(decode(&b, "", 1000000, &out), -1);
	assert_int_equal(decode(&b, "t:k", 1000000 + AGE_MAX + 1, &out), -1);
	assert_int_equal(decode(&b, "t:k", 1000000 - 2001, &out), -1);
	assert_int_equal(decode(&b, "t:k", 1000000 + AGE_MAX, &out), 0);
	buf_free(&out.body);
	assert_int_equal(decode(&b, "t:k", 1000000 - 2000, &out), 0);
	buf_free(&out.body);
	/* What it shows counts too, not only when it was stored. */
	in.as_of_ms = 1000000 - AGE_MAX - 1;
	buf_clear(&b);
	assert_int_equal(envelope_encode(&b, "t:k", &in, 1000000), 0);
	assert_int_equal(decode(&b, "t:k", 1000000, &out), -1);
	in.as_of_ms = 1000000 + 2001;
	buf_clear(&b);
	assert_int_equal(envelope_encode(&b, "t:k", &in, 1000000), 0);
	assert_int_equal(decode(&b, "t:k", 1000000, &out), -1);
	in.as_of_ms = 0;
	in.status = 404;
	buf_clear(&b);
	assert_int_equal(envelope_encode(&b, "t:k", &in, 1000000), 0);
	assert_int_equal(decode(&b, "t:k", 1000000, &out), -1);
	buf_reserve(&in.body, ENVELOPE_BODY_MAX + 1);
	memset(in.body.data, 'x', ENVELOPE_BODY_MAX + 1);
	in.body.len = ENVELOPE_BODY_MAX + 1;
	buf_clear(&b);
	assert_int_equal(envelope_encode(&b, "t:k", &in, 1000), -1);
	assert_int_equal(b.len, 0);
	buf_free(&in.body);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_are_taken_or_refused),
		cmocka_unit_test(
		    keys_are_spread_and_only_a_lost_nodes_keys_move),
		cmocka_unit_test(a_breaker_opens_waits_and_closes),
		cmocka_unit_test(what_was_kept_comes_back),
		cmocka_unit_test(every_changed_byte_and_every_cut_is_a_miss),
		cmocka_unit_test(
		    another_key_another_time_and_too_much_are_misses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
