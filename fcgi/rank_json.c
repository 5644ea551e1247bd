/* An event's place on a board as JSON. */
#include "config.h"

#include "fcgi/json.h"
#include "fcgi/rank.h"
#include "lib/buf.h"

static void
add_rank(struct buf *b, int rank)
{
	if (rank == 0)
		buf_adds(b, "\"rank\":null,");
	else
		buf_addf(b, "\"rank\":%d,", rank);
}

/* Renders the answer of /api/events/{id}/rank. */
void
rank_json(struct response *out, const struct rank *rank)
{
	struct answer_gap gaps[2];
	struct buf *b = &out->body;
	size_t i;

	out->type = RESPONSE_JSON;
	buf_addf(b, "{\"query\":{\"around\":%d,", rank->around);
	gaps[0] = topk_query_json(b, &rank->query);
	buf_adds(b, "},");
	gaps[1].from = b->len;
	out->mark_at = gaps[1].to = answer_json(b, &rank->answer);
	buf_adds(b, ",\"event_id\":");
	json_cstring(b, rank->event_id);
	buf_addc(b, ',');
	add_rank(b, rank->rank);
	if (rank->placed && rank->rank == 0)
		buf_addf(b, "\"beyond\":%d,", RANK_BEYOND);
	else
		buf_adds(b, "\"beyond\":null,");
	buf_adds(b, "\"events\":[");
	for (i = 0; i < rank->n; i++) {
		buf_adds(b, i == 0 ? "{" : ",{");
		add_rank(b, rank->entries[i].rank);
		details_json(b, &rank->entries[i].event);
		buf_addc(b, '}');
	}
	buf_adds(b, "]}\n");
	answer_finish(out, &rank->answer, gaps, 2);
}
