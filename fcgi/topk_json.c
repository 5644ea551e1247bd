/* A board as JSON. */
#include "config.h"

#include "fcgi/json.h"
#include "fcgi/topk.h"
#include "lib/buf.h"

/* Renders the answer of /api/topk. */
void
topk_json(struct response *out, const struct topk *t)
{
	struct buf *b = &out->body;
	size_t i, from;

	out->type = RESPONSE_JSON;
	buf_addf(b, "{\"query\":{\"k\":%d,\"by\":\"%s\"},", t->query.k,
	    topk_by_name(t->query.by));
	from = b->len;
	out->mark_at = answer_json(b, &t->answer);
	buf_addf(b, ",\"tie_at_cutoff\":%s,\"events\":[",
	    t->tie_at_cutoff ? "true" : "false");
	for (i = 0; i < t->n; i++) {
		buf_addf(b, "%s{\"rank\":%d,", i == 0 ? "" : ",",
		    t->entries[i].rank);
		details_json(b, &t->entries[i].event);
		buf_addc(b, '}');
	}
	buf_adds(b, "]}\n");
	answer_finish(out, &t->answer, from, out->mark_at);
}
