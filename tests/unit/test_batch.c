/* A batch comes to the same whatever the order, and arrays are PostgreSQL's. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/arrays.h"
#include "ingest/batch.h"

#define NOW INT64_C(1489925470960)

static void
add(struct batch *b, struct rsvp_parser *rp, int64_t ts, int part,
    int64_t offset, const char *text)
{
	struct incoming in = { .pos = { ts, part, offset },
		.has_ts = true,
		.key = "k",
		.key_len = 1,
		.value = text,
		.value_len = strlen(text) };

	batch_add(b, &in, rp, NOW);
}

static void
message(char *out, size_t room, int id, int64_t mtime, const char *response,
    const char *event, const char *name, int group)
{
	snprintf(out, room,
	    "{\"rsvp_id\":%d,\"mtime\":%lld,\"response\":\"%s\",\"event\":"
	    "{\"event_id\":\"%s\",\"event_name\":\"%s\"},\"group\":"
	    "{\"group_id\":%d}}",
	    id, (long long)mtime, response, event, name, group);
}

/* What a sorted batch holds, as text. */
static void
describe(struct batch *b, struct buf *out)
{
	const struct detail_row *d;
	size_t i;

	batch_sort(b);
	for (i = 0; i < b->nrsvps; i++)
		buf_addf(out, "r%lld %lld %d %.*s\n",
		    (long long)b->rsvps[i].rsvp_id,
		    (long long)b->rsvps[i].mtime_ms, b->rsvps[i].response,
		    (int)b->rsvps[i].event_id.len,
		    batch_bytes(b, &b->rsvps[i].event_id));
	for (i = 0; i < b->details[DETAIL_EVENT].n; i++) {
		d = &b->details[DETAIL_EVENT].rows[i];
		buf_addf(out, "e%.*s %.*s %lld/%d/%lld\n", (int)d->key.len,
		    batch_bytes(b, &d->key), (int)d->texts[0].len,
		    batch_bytes(b, &d->texts[0]), (long long)d->pos.ts,
		    d->pos.part, (long long)d->pos.offset);
	}
	for (i = 0; i < b->details[DETAIL_GROUP].n; i++)
		buf_addf(out, "g%lld\n",
		    (long long)b->details[DETAIL_GROUP].rows[i].id);
}

static void
the_order_of_arrival_does_not_matter(void **state)
{
	static const char expected[] = "r1 1489925470123 2 b\n"
				       "r2 1489925470123 0 a\n"
				       "ea new 30/0/9\neb x 20/1/5\ng7\ng8\n";
	char texts[5][300];
	static const struct position at[5] = { { 10, 0, 1 }, { 20, 0, 2 },
		{ 20, 1, 5 }, { 30, 0, 9 }, { 5, 2, 1 } };
	struct rsvp_parser *rp = rsvp_parser_open();
	struct buf got = { 0 };
	struct batch b;
	int order[5], i, j, n, k, t;

	(void)state;
	message(texts[0], 300, 1, 1489925469000, "yes", "a", "old", 7);
	message(texts[1], 300, 1, 1489925470000, "yes", "b", "x", 7);
	message(texts[2], 300, 1, 1489925470123, "no", "b", "x", 7);
	message(texts[3], 300, 2, 1489925470123, "yes", "a", "new", 8);
	message(texts[4], 300, 2, 1489925470000, "no", "a", "older", 8);
	for (n = 0; n < 120; n++) { /* every permutation of five */
		for (i = 0; i < 5; i++)
			order[i] = i;
		for (i = 4, k = n; i > 0; k /= i + 1, i--) {
			j = k % (i + 1);
			t = order[i];
			order[i] = order[j];
			order[j] = t;
		}
		batch_init(&b, "t", true);
		for (i = 0; i < 5; i++)
			add(&b, rp, at[order[i]].ts, at[order[i]].part,
			    at[order[i]].offset, texts[order[i]]);
		buf_clear(&got);
		describe(&b, &got);
		assert_string_equal(buf_str(&got), expected);
		batch_free(&b);
	}
	buf_free(&got);
	rsvp_parser_close(rp);
}

static void
a_bad_record_harms_none_of_its_neighbours(void **state)
{
	struct rsvp_parser *rp = rsvp_parser_open();
	char text[300];
	struct batch b;

	(void)state;
	batch_init(&b, "t", true);
	message(text, sizeof(text), 1, NOW, "yes", "a", "n", 7);
	add(&b, rp, 1, 0, 0, text);
	add(&b, rp, 2, 0, 1, "{broken");
	message(text, sizeof(text), 2, NOW, "yes", "a", "n", 7);
	add(&b, rp, 3, 0, 2, text);
	assert_int_equal(b.nrecords, 3);
	assert_int_equal(b.nbad, 1);
	assert_int_equal(b.nrsvps, 2);
	assert_string_equal(b.records[1].reason, "syntax");
	assert_memory_equal(batch_bytes(&b, &b.records[1].value), "{broken", 7);
	assert_string_equal(b.records[0].reason, "");
	batch_clear(&b);
	assert_int_equal(b.nrecords + b.nbad + b.nrsvps, 0);
	add(&b, rp, 3, 0, 2, text);
	assert_int_equal(b.nrsvps, 1);
	batch_free(&b);
	batch_free(&b);
	rsvp_parser_close(rp);
}

static void
one_rsvp_a_thousand_times_is_one_row(void **state)
{
	struct rsvp_parser *rp = rsvp_parser_open();
	char text[300];
	struct batch b;
	int i;

	(void)state;
	batch_init(&b, "t", true);
	for (i = 0; i < 1000; i++) {
		message(text, sizeof(text), 1, NOW - i, i % 2 ? "yes" : "no",
		    "a", "n", i % 3 + 1);
		add(&b, rp, i, 0, i, text);
	}
	assert_int_equal(b.nrsvps, 1);
	assert_true(b.rsvps[0].mtime_ms == NOW);
	assert_int_equal(b.details[DETAIL_EVENT].n, 1);
	assert_int_equal(b.details[DETAIL_GROUP].n, 3);
	batch_free(&b);
	rsvp_parser_close(rp);
}

static void
members_that_are_not_stored_keep_only_their_id(void **state)
{
	static const char text[] =
	    "{\"rsvp_id\":1,\"mtime\":1489925470960,\"response\":\"yes\","
	    "\"member\":{\"member_id\":5,\"member_name\":\"Jo\"},"
	    "\"event\":{\"event_id\":\"a\"},\"group\":{\"group_id\":1}}";
	struct rsvp_parser *rp = rsvp_parser_open();
	struct batch b;

	(void)state;
	batch_init(&b, "t", false);
	add(&b, rp, 1, 0, 0, text);
	assert_int_equal(b.details[DETAIL_MEMBER].n, 1);
	assert_true(b.details[DETAIL_MEMBER].rows[0].id == 5);
	assert_true(b.details[DETAIL_MEMBER].rows[0].texts[0].absent);
	batch_free(&b);
	batch_init(&b, "t", true);
	add(&b, rp, 1, 0, 0, text);
	assert_false(b.details[DETAIL_MEMBER].rows[0].texts[0].absent);
	batch_free(&b);
	rsvp_parser_close(rp);
}

static void
arrays_are_in_postgresqls_binary_format(void **state)
{
	/* From array_send() in PostgreSQL's source: big-endian throughout. */
	static const unsigned char ints[] = { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,
		20, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff };
	static const unsigned char none[] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
		25 };
	static const unsigned char one[] = { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 2,
		0xbd, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 8, 0x3f, 0xf8, 0, 0, 0,
		0, 0, 0 };
	struct buf b = { 0 };

	(void)state;
	array_begin(&b, ARRAY_INT8, 2);
	array_int8(&b, -2);
	array_null(&b);
	assert_int_equal(b.len, sizeof(ints));
	assert_memory_equal(b.data, ints, sizeof(ints));
	array_begin(&b, ARRAY_TEXT, 0);
	assert_int_equal(b.len, sizeof(none));
	assert_memory_equal(b.data, none, sizeof(none));
	array_begin(&b, ARRAY_FLOAT8, 1);
	array_float8(&b, 1.5);
	assert_int_equal(b.len, sizeof(one));
	assert_memory_equal(b.data, one, sizeof(one));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_arrival_does_not_matter),
		cmocka_unit_test(a_bad_record_harms_none_of_its_neighbours),
		cmocka_unit_test(one_rsvp_a_thousand_times_is_one_row),
		cmocka_unit_test(
		    members_that_are_not_stored_keep_only_their_id),
		cmocka_unit_test(arrays_are_in_postgresqls_binary_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
