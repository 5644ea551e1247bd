/* An event as JSON. */
#include "config.h"

#include "fcgi/event.h"
#include "lib/buf.h"

/* Renders the answer of /api/events/{id}. */
void
event_json(struct response *out, const struct event *ev)
{
	struct buf *b = &out->body;
	struct answer_gap gap;

	out->type = RESPONSE_JSON;
	buf_addc(b, '{');
	gap.from = b->len;
	out->mark_at = gap.to = answer_json(b, &ev->answer);
	buf_addc(b, ',');
	details_json(b, &ev->details);
	buf_adds(b, "}\n");
	answer_finish(out, &ev->answer, &gap, 1);
}
