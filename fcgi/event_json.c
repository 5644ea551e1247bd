/* An event as JSON. */
#include "config.h"

#include "fcgi/event.h"
#include "lib/buf.h"

/* Renders the answer of /api/events/{id}. */
void
event_json(struct response *out, const struct event *ev)
{
	struct buf *b = &out->body;
	size_t from;

	out->type = RESPONSE_JSON;
	buf_addc(b, '{');
	from = b->len;
	out->mark_at = answer_json(b, &ev->answer);
	buf_addc(b, ',');
	details_json(b, &ev->details);
	buf_adds(b, "}\n");
	answer_finish(out, &ev->answer, from, out->mark_at);
}
