/* A board as JSON. */
#include "config.h"

#include "fcgi/json.h"
#include "fcgi/topk.h"
#include "lib/buf.h"

static void
add_entry(struct buf *b, const struct topk *t, const struct topk_entry *entry)
{
	buf_addf(b, "{\"rank\":%d,", entry->rank);
	if (t->query.range.kind != RANGE_ALL) {
		if (entry->previous_rank == 0)
			buf_adds(b, "\"previous_rank\":null,");
		else
			buf_addf(
			    b, "\"previous_rank\":%d,", entry->previous_rank);
	}
	details_json(b, &entry->event);
	buf_addc(b, '}');
}

/* Renders the answer of /api/topk. */
void
topk_json(struct response *out, const struct topk *t)
{
	struct answer_gap gaps[2];
	struct buf *b = &out->body;
	size_t i;

	out->type = RESPONSE_JSON;
	buf_addf(b, "{\"query\":{\"k\":%d,", t->query.k);
	gaps[0] = topk_query_json(b, &t->query);
	buf_adds(b, "},");
	gaps[1].from = b->len;
	out->mark_at = gaps[1].to = answer_json(b, &t->answer);
	buf_addf(b, ",\"tie_at_cutoff\":%s,\"events\":[",
	    t->tie_at_cutoff ? "true" : "false");
	for (i = 0; i < t->n; i++) {
		if (i > 0)
			buf_addc(b, ',');
		add_entry(b, t, &t->entries[i]);
	}
	buf_adds(b, "]}\n");
	answer_finish(out, &t->answer, gaps, 2);
}
