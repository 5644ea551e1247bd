/* A group, a venue or a member as JSON. */
#include "config.h"

#include "fcgi/json.h"
#include "fcgi/thing.h"
#include "lib/buf.h"

static const char *const id_names[] = {
	[THING_GROUP] = "group_id",
	[THING_VENUE] = "venue_id",
	[THING_MEMBER] = "member_id",
};

static void
degrees(struct buf *b, const char *name, bool located, double value)
{
	buf_addf(b, ",\"%s\":", name);
	if (located)
		json_double(b, value);
	else
		buf_adds(b, "null");
}

static void
add_events(struct buf *b, const struct thing *t)
{
	size_t i;

	buf_adds(b, ",\"events\":[");
	for (i = 0; i < t->n; i++) {
		buf_adds(b, i == 0 ? "{" : ",{");
		details_json_summary(b, &t->events[i]);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

/* Renders the answer of /api/groups/{id}, /api/venues/{id} and
 * /api/members/{id}. */
void
thing_json(struct response *out, const struct thing *t)
{
	struct buf *b = &out->body;
	struct answer_gap gap;

	out->type = RESPONSE_JSON;
	buf_addc(b, '{');
	gap.from = b->len;
	out->mark_at = gap.to = answer_json(b, &t->answer);
	buf_addf(b, ",\"%s\":", id_names[t->kind]);
	json_int(b, t->id);
	json_member(b, "name", t->name);
	if (t->kind == THING_GROUP) {
		json_member(b, "urlname", t->urlname);
		json_member(b, "city", t->city);
		json_member(b, "state", t->state);
		json_member(b, "country", t->country);
	}
	if (t->kind == THING_MEMBER) {
		json_member(b, "photo", t->photo);
	} else {
		degrees(b, "lat", t->located, t->lat);
		degrees(b, "lon", t->located, t->lon);
	}
	if (t->kind == THING_GROUP) {
		buf_adds(b, ",\"topics\":");
		json_raw(b, t->topics);
	}
	if (t->kind != THING_MEMBER)
		add_events(b, t);
	buf_adds(b, "}\n");
	answer_finish(out, &t->answer, &gap, 1);
}
