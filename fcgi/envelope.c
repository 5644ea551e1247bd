/* The form of a value in Redis; see envelope.h. */
#include "config.h"

#include <stdbool.h>
#include <string.h>

#include <xxhash.h>

#include "fcgi/envelope.h"

#define ENVELOPE_MAGIC UINT32_C(0x54726e31) /* "1nrT": the form's version */

/* Fixed part; the key and the body follow.  Same machine order on all hosts
 * of one architecture; another order fails the magic, and is a miss. */
struct head {
	uint32_t magic;
	uint32_t status;
	uint32_t type;
	uint32_t key_len;
	uint64_t body_len;
	uint64_t mark_at;
	uint64_t etag;
	int64_t as_of_ms;
	int64_t stored_ms;
	uint64_t checksum; /* of the head with 0 here, key and body */
};

static uint64_t
checksum(const struct head *head, const char *rest, size_t len)
{
	struct head copy = *head;

	copy.checksum = 0;
	return XXH3_64bits_withSeed(
	    rest, len, XXH3_64bits(&copy, sizeof(copy)));
}

static bool
age_fits(int64_t age_ms, int64_t max_age_ms)
{
	return age_ms >= -ENVELOPE_SKEW_MS && age_ms <= max_age_ms;
}

/* Adds the envelope; returns -1 when the body is too large to be cached. */
int
envelope_encode(struct buf *out, const char *key, const struct response *r,
    int64_t stored_ms)
{
	struct head head = { .magic = ENVELOPE_MAGIC,
		.status = (uint32_t)r->status,
		.type = (uint32_t)r->type,
		.key_len = (uint32_t)strlen(key),
		.body_len = r->body.len,
		.mark_at = r->mark_at == RESPONSE_NO_MARK ? UINT64_MAX
							  : r->mark_at,
		.etag = r->etag,
		.as_of_ms = r->as_of_ms,
		.stored_ms = stored_ms };
	size_t start = out->len;

	if (r->body.len > ENVELOPE_BODY_MAX)
		return -1;
	buf_add(out, &head, sizeof(head));
	buf_add(out, key, head.key_len);
	buf_add(out, r->body.data, r->body.len);
	head.checksum = checksum(&head, out->data + start + sizeof(head),
	    head.key_len + r->body.len);
	memcpy(out->data + start, &head, sizeof(head));
	return 0;
}

/*
 * Fills *r (zeroed) and its age when data is an envelope of this key, whole,
 * neither from the future nor older than max_age_ms, by both of its times;
 * else returns -1, *r untouched.
 */
int
envelope_decode(struct response *r, const char *key, const void *data,
    size_t len, int64_t now_ms, int64_t max_age_ms, int64_t *age_ms)
{
	const char *rest = (const char *)data + sizeof(struct head);
	struct head head;
	int64_t age;

	if (len < sizeof(head))
		return -1;
	memcpy(&head, data, sizeof(head));
	len -= sizeof(head);
	if (head.magic != ENVELOPE_MAGIC || head.key_len != strlen(key) ||
	    head.body_len > ENVELOPE_BODY_MAX ||
	    len != head.key_len + head.body_len ||
	    memcmp(rest, key, head.key_len) != 0 ||
	    head.checksum != checksum(&head, rest, len))
		return -1;
	if (head.status != 200 || head.type >= RESPONSE_TYPES ||
	    (head.mark_at != UINT64_MAX && head.mark_at > head.body_len))
		return -1;
	age = now_ms - head.stored_ms;
	if (!age_fits(age, max_age_ms))
		return -1;
	/* What it shows is a little older, by the clock of PostgreSQL. */
	if (head.as_of_ms != 0 && !age_fits(now_ms - head.as_of_ms, max_age_ms))
		return -1;
	r->status = (int)head.status;
	r->type = (enum response_type)head.type;
	r->mark_at = head.mark_at == UINT64_MAX ? RESPONSE_NO_MARK
						: (size_t)head.mark_at;
	r->etag = head.etag;
	r->as_of_ms = head.as_of_ms;
	buf_clear(&r->body);
	buf_add(&r->body, rest + head.key_len, (size_t)head.body_len);
	*age_ms = age < 0 ? 0 : age;
	return 0;
}
