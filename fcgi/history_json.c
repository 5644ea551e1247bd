/* An event's counts over time as JSON. */
#include "config.h"

#include <inttypes.h>

#include "fcgi/details.h"
#include "fcgi/history.h"
#include "fcgi/json.h"
#include "fcgi/range.h"
#include "lib/buf.h"
#include "lib/clock.h"

/* Renders the answer of /api/events/{id}/history. */
void
history_json(struct response *out, const struct history *h)
{
	struct buf *b = &out->body;
	char from[CLOCK_ISO_LEN], to[CLOCK_ISO_LEN];
	struct answer_gap gap;
	size_t i;

	out->type = RESPONSE_JSON;
	buf_addf(b, "{\"query\":{\"step\":\"%s\"", range_step_name(h->step_ms));
	if (h->from_ms != DETAILS_ABSENT)
		buf_addf(b, ",\"from\":\"%s\",\"to\":\"%s\"",
		    clock_iso(from, h->from_ms), clock_iso(to, h->to_ms));
	buf_adds(b, "},");
	gap.from = b->len;
	out->mark_at = gap.to = answer_json(b, &h->answer);
	buf_adds(b, ",\"event_id\":");
	json_cstring(b, h->event_id);
	buf_adds(b, ",\"points\":[");
	for (i = 0; i < h->n; i++)
		buf_addf(b,
		    "%s{\"at\":\"%s\",\"rsvps\":%" PRId64
		    ",\"headcount\":%" PRId64 "}",
		    i == 0 ? "" : ",", clock_iso(from, h->points[i].at_ms),
		    h->points[i].rsvps, h->points[i].headcount);
	buf_adds(b, "]}\n");
	answer_finish(out, &h->answer, &gap, 1);
}
