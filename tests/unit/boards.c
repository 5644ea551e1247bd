/* What the renderers are tried on; see boards.h. */
#include "config.h"

#include <string.h>

#include "fcgi/event_page.h"
#include "fcgi/history.h"
#include "fcgi/rank.h"
#include "fcgi/search.h"
#include "fcgi/thing_page.h"
#include "fcgi/topk.h"
#include "lib/clock.h"
#include "tests/unit/boards.h"

#define AS_OF INT64_C(1489926600120) /* 2017-03-19T12:30:00.120Z */

static const struct details_event honest = {
	.event_id = "236222256",
	.name = "Rätsel & Spaß",
	.url = "https://example.org/e/1?a=b&c=d",
	.starts_ms = INT64_C(1490389200000),
	.rsvps = 8,
	.headcount = 11,
	.group = { 1, "A & B", "a-b", "Hoboken", "nj", "us" },
	.venue = { 2, "Here", true, 40.7, -74.4 },
};
static const struct details_event hostile = {
	.event_id = "\"><script>alert(1)</script>/.../%41?a#b",
	.name = "</td></table><script>alert('\"1\"')</script>\xe2\x80\xa8"
		"\xe2\x80\xae"
		"gpj.\x7f\x01\\",
	.url = "javascript:alert(1)",
	.starts_ms = 0,
	.rsvps = 7,
	.headcount = 7,
	.group = { 3, "<!--", "]]>", "' onclick='x", "&lt;b&gt;", "\"" },
	.venue = { 4, "<svg/onload=alert(1)>", false, 0, 0 },
};
static const struct details_event bare = {
	.event_id = "..",
	.name = NULL,
	.url = NULL,
	.starts_ms = DETAILS_ABSENT,
	.rsvps = 7,
	.headcount = 9000,
	.group = { .group_id = DETAILS_ABSENT },
	.venue = { .venue_id = DETAILS_ABSENT },
};

/* Three of more events, the last two and the one left out tied. */
void
boards_full(struct topk *t)
{
	static struct topk_entry entries[3];

	memset(t, 0, sizeof(*t));
	t->query.k = 3;
	t->query.by = TOPK_BY_RSVPS;
	t->answer.as_of_ms = AS_OF;
	t->answer.lag_messages = 12;
	t->answer.lag_ms = 400;
	t->answer.version = 4711;
	t->tie_at_cutoff = true;
	memset(entries, 0, sizeof(entries));
	entries[0].rank = 1;
	entries[0].event = honest;
	entries[1].rank = 2;
	entries[1].event = hostile;
	entries[2].rank = 2;
	entries[2].event = bare;
	t->tied = 1;
	t->first_ms = AS_OF - 40 * CLOCK_DAY_MS;
	t->last_ms = AS_OF - 1000;
	t->hours_from_ms = INT64_C(1489842000000); /* 2017-03-18T13:00:00Z */
	entries[0].plotted = entries[1].plotted = true;
	entries[0].hours[0] = 1;
	entries[0].hours[23] = 7;
	t->n = 3;
	t->entries = entries;
}

/* The same board of a window that slides, with filters. */
void
boards_window(struct topk *t)
{
	struct topk_query *query = &t->query;

	boards_full(t);
	query->range.kind = RANGE_SLIDING;
	strcpy(query->range.window, "24h");
	query->range.window_ms = 86400000;
	query->range.to_ms = AS_OF;
	query->range.from_ms = AS_OF - query->range.window_ms;
	strcpy(query->filter.country, "us");
	strcpy(query->filter.city, "</script>\"");
	query->filter.group_id = 42;
	strcpy(query->filter.topic, "web");
	query->filter.when = TOPK_WHEN_UPCOMING;
	t->entries[0].previous_rank = 3;
	t->entries[1].previous_rank = 0;
	t->entries[2].previous_rank = 1;
}

/* Nothing counted and nothing read yet. */
void
boards_empty(struct topk *t)
{
	memset(t, 0, sizeof(*t));
	t->query.k = TOPK_K_PRESET;
	t->query.by = TOPK_BY_HEADCOUNT;
	t->first_ms = t->last_ms = DETAILS_ABSENT;
	t->answer.as_of_ms = AS_OF - 120;
	t->answer.lag_messages = ANSWER_UNKNOWN;
	t->answer.lag_ms = ANSWER_UNKNOWN;
}

/* The honest event beyond the last rank that is told, and one before it. */
void
boards_rank(struct rank *rank)
{
	struct topk t;

	boards_window(&t);
	memset(rank, 0, sizeof(*rank));
	rank->query = t.query;
	rank->around = 1;
	rank->answer = t.answer;
	rank->event_id = honest.event_id;
	rank->placed = true;
	rank->n = 2;
	rank->entries[0].rank = 1000;
	rank->entries[0].event = hostile;
	rank->entries[1].event = honest;
}

/* What was found for words that are no markup. */
void
boards_search(struct search *s)
{
	memset(s, 0, sizeof(*s));
	s->words = "<b> \"é";
	s->limit = 20;
	s->answer.as_of_ms = AS_OF;
	s->n = 2;
	s->events[0] = honest;
	s->events[1] = bare;
}

/* Two weeks, the second of them without a yes. */
void
boards_history(struct history *h)
{
	static struct history_point points[2];

	memset(h, 0, sizeof(*h));
	h->answer.as_of_ms = AS_OF;
	h->answer.lag_ms = ANSWER_UNKNOWN;
	h->event_id = hostile.event_id;
	h->step_ms = 7 * CLOCK_DAY_MS;
	h->from_ms = INT64_C(1489363200000);
	h->to_ms = h->from_ms + 2 * h->step_ms;
	h->n = 2;
	h->points = points;
	points[0].at_ms = h->from_ms;
	points[0].rsvps = 2;
	points[0].headcount = 5;
	points[1].at_ms = h->from_ms + h->step_ms;
}

/* The honest event, of a stream that is read to its end. */
void
boards_event(struct event *ev)
{
	memset(ev, 0, sizeof(*ev));
	ev->answer.as_of_ms = AS_OF;
	ev->answer.lag_messages = 0;
	ev->answer.lag_ms = 90061;
	ev->answer.version = 1;
	ev->details = honest;
}

/* A page of it: three days, one window each way of being told, two
 * neighbours, and an event of the group to come. */
void
boards_event_page(struct event_page *p)
{
	static const int64_t day = INT64_C(1489881600000); /* 2017-03-19 */

	memset(p, 0, sizeof(*p));
	boards_event(&p->event);
	p->ndays = 3;
	p->days[0] = (struct history_point){ day, 5, 6 };
	p->days[1] = (struct history_point){ day - CLOCK_DAY_MS, 2, 4 };
	p->days[2] = (struct history_point){ day - 9 * CLOCK_DAY_MS, 1, 1 };
	p->nwindows = 3;
	p->windows[0] = (struct event_window){
		.window_ms = CLOCK_DAY_MS, .rank = 1, .rsvps = 6, .headcount = 9
	};
	p->windows[1] = (struct event_window){ .window_ms = 7 * CLOCK_DAY_MS,
		.beyond = 1000,
		.rsvps = 7,
		.headcount = 10 };
	p->windows[2] = (struct event_window){
		.window_ms = 30 * CLOCK_DAY_MS, .rsvps = 8, .headcount = 11
	};
	p->nneighbours = 2;
	p->neighbours[0].rank = 1234;
	p->neighbours[0].event = honest;
	p->neighbours[1].rank = 1235;
	p->neighbours[1].event = hostile;
	p->others.parts[ON_UPCOMING].n = 1;
	p->others.parts[ON_UPCOMING].cut = true;
	p->others.parts[ON_UPCOMING].events[0] = bare;
}

/* A venue with nothing on, and a group with something of each part. */
void
boards_venue_page(struct thing_page *p)
{
	memset(p, 0, sizeof(*p));
	p->thing.kind = THING_VENUE;
	p->thing.answer.as_of_ms = AS_OF;
	p->thing.id = 2;
	p->thing.name = hostile.venue.name;
}

void
boards_group_page(struct thing_page *p)
{
	memset(p, 0, sizeof(*p));
	boards_group(&p->thing);
	p->on.parts[ON_UPCOMING].n = 1;
	p->on.parts[ON_UPCOMING].events[0] = honest;
	p->on.parts[ON_RECENT].n = 1;
	p->on.parts[ON_RECENT].cut = true;
	p->on.parts[ON_RECENT].events[0] = hostile;
	p->on.parts[ON_UNDATED].n = 1;
	p->on.parts[ON_UNDATED].events[0] = bare;
}

/* A group with topics that would end a script element, and two events. */
void
boards_group(struct thing *t)
{
	memset(t, 0, sizeof(*t));
	t->kind = THING_GROUP;
	t->answer.as_of_ms = AS_OF;
	t->answer.lag_messages = 1;
	t->answer.lag_ms = ANSWER_UNKNOWN;
	t->id = INT64_MAX;
	t->name = hostile.group.name;
	t->topics = "[{\"urlkey\": \"x\", \"topic_name\": \"</script>\"}]";
	t->located = true;
	t->lat = 0.1;
	t->lon = -1.0 / 3;
	t->n = 2;
	t->events[0] = honest;
	t->events[1] = hostile;
}
