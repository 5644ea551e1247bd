/* A board as CSV: a header, then a record an event. */
#include "config.h"

#include "fcgi/csv.h"
#include "fcgi/topk.h"
#include "lib/buf.h"
#include "lib/clock.h"

static const char header[] =
    "rank,previous_rank,event_id,name,url,starts_at,rsvps,headcount,"
    "group_id,group_name,group_urlname,city,state,country,"
    "venue_id,venue_name,lat,lon\r\n";

/* A number that is absent below min. */
static void
number(struct buf *b, int64_t n, int64_t min)
{
	if (n < min)
		csv_text(b, NULL);
	else
		csv_int(b, n);
}

static void
degrees(struct buf *b, bool located, double value)
{
	if (located)
		csv_double(b, value);
	else
		csv_text(b, NULL);
}

static void
add_entry(struct buf *b, const struct topk_entry *entry)
{
	const struct details_event *ev = &entry->event;
	const struct details_group *g = &ev->group;
	const struct details_venue *v = &ev->venue;
	char iso[CLOCK_ISO_LEN];

	csv_int(b, entry->rank);
	number(b, entry->previous_rank, 1);
	csv_text(b, ev->event_id);
	csv_text(b, ev->name);
	csv_text(b, ev->url);
	csv_text(b,
	    ev->starts_ms == DETAILS_ABSENT ? NULL
					    : clock_iso(iso, ev->starts_ms));
	csv_int(b, ev->rsvps);
	csv_int(b, ev->headcount);
	number(b, g->group_id, 0);
	csv_text(b, g->name);
	csv_text(b, g->urlname);
	csv_text(b, g->city);
	csv_text(b, g->state);
	csv_text(b, g->country);
	number(b, v->venue_id, 0);
	csv_text(b, v->name);
	degrees(b, v->located, v->lat);
	degrees(b, v->located, v->lon);
	csv_end(b);
}

/* Renders the answer of /api/topk as CSV.  It has no place for a stale mark:
 * the header X-Turnout-Stale is that. */
void
topk_csv(struct response *out, const struct topk *t)
{
	struct buf *b = &out->body;
	size_t i;

	out->type = RESPONSE_CSV;
	buf_adds(b, header);
	for (i = 0; i < t->n; i++)
		add_entry(b, &t->entries[i]);
	answer_finish(out, &t->answer, NULL, 0);
}
