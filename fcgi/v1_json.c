/* The JSON of the Go original: frozen. */
#include "config.h"

#include "fcgi/details.h"
#include "fcgi/json.h"
#include "fcgi/v1.h"
#include "lib/buf.h"

static void
member(struct buf *b, const char *name, const char *value)
{
	json_member(b, name, value == NULL ? "" : value);
}

static void
number(struct buf *b, const char *name, int64_t value)
{
	buf_addf(b, "\"%s\":", name);
	json_int(b, value == DETAILS_ABSENT ? 0 : value);
}

static void
degrees(
    struct buf *b, const char *name, const struct v1_place *place, double value)
{
	buf_addf(b, ",\"%s\":", name);
	json_double(b, place->located ? value : 0);
}

/* Renders the answer of /api/v1/events/topk.  An array has no place for a
 * stale mark. */
void
v1_topk_json(struct response *out, const struct topk *t)
{
	const struct details_event *ev;
	struct buf *b = &out->body;
	size_t i;

	out->type = RESPONSE_JSON;
	buf_addc(b, '[');
	for (i = 0; i < t->n; i++) {
		ev = &t->entries[i].event;
		buf_addf(b, "%s{\"Event\":{\"event_id\":", i == 0 ? "" : ",");
		json_cstring(b, ev->event_id);
		member(b, "event_name", ev->name);
		member(b, "event_url", ev->url);
		buf_addc(b, ',');
		number(b, "time", ev->starts_ms);
		buf_adds(b, "},");
		number(b, "ConfirmedRSVPs", ev->rsvps);
		buf_addc(b, '}');
	}
	buf_adds(b, "]\n");
	answer_finish(out, &t->answer, NULL, 0);
}

/* Renders the answer of /api/v1/events/info. */
void
v1_info_json(struct response *out, const struct v1_info *info)
{
	struct buf *b = &out->body;

	out->type = RESPONSE_JSON;
	buf_adds(b, "{\"Group\":{");
	number(b, "group_id", info->group.id);
	member(b, "group_name", info->group.name);
	member(b, "group_country", info->country);
	member(b, "state", info->state);
	member(b, "city", info->city);
	degrees(b, "group_lat", &info->group, info->group.lat);
	degrees(b, "group_lon", &info->group, info->group.lon);
	member(b, "group_urlname", info->urlname);
	buf_adds(b, ",\"topics\":");
	json_raw(b, info->topics == NULL ? "[]" : info->topics);
	buf_adds(b, "},\"Venue\":");
	if (info->venue.id == DETAILS_ABSENT) {
		buf_adds(b, "null");
	} else {
		buf_addc(b, '{');
		number(b, "venue_id", info->venue.id);
		member(b, "venue_name", info->venue.name);
		degrees(b, "lat", &info->venue, info->venue.lat);
		degrees(b, "lon", &info->venue, info->venue.lon);
		buf_addc(b, '}');
	}
	buf_adds(b, "}\n");
	answer_finish(out, &info->answer, NULL, 0);
}
