/*
 * An RSVP as the site sent it: one line of JSON, "/" escaped, UTF-8 raw.  Two
 * orders of keys occurred; an event keeps to one of them.
 *
 * Speed matters (a benchmark must not wait for its data): a line is a few
 * dozen copies of ready text and numbers of our own formatting.
 */
#include "config.h"

#include <string.h>

#include "tests/rsvpgen.h"

#define DAY_MS 86400000LL
#define SLOT_MS 1800000LL /* events start at half hours */
#define ONLINE_VENUE 26906060

/* What an event's number and the seed say about it. */
struct details {
	uint64_t bits; /* for what is decided on the spot */
	uint64_t event;
	uint64_t number; /* of its page */
	uint64_t group;
	uint64_t venue; /* id; 0 = none */
	uint64_t group_bits;
	uint64_t venue_bits;
	bool recurring;
	bool odd_name;
	bool has_time;
};

#define ADD(p, literal) add((p), (literal), sizeof(literal) - 1)

static char *
add(char *p, const char *text, size_t len)
{
	memcpy(p, text, len);
	return p + len;
}

static char *
add_word(char *p, const struct word *w)
{
	return add(p, w->text, w->len);
}

static char *
add_u64(char *p, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return add(p, digits + i, sizeof(digits) - i);
}

static char *
add_i64(char *p, int64_t n)
{
	if (n >= 0)
		return add_u64(p, (uint64_t)n);
	*p++ = '-';
	return add_u64(p, (uint64_t)-n);
}

/* n / 10^places in decimal, without zeros at the end: 41.5, -3, 0. */
static char *
add_decimal(char *p, int64_t n, int places)
{
	uint64_t scale = 1;
	uint64_t all, rest;
	int i;

	for (i = 0; i < places; i++)
		scale *= 10;
	if (n < 0)
		*p++ = '-';
	all = (uint64_t)(n < 0 ? -n : n);
	p = add_u64(p, all / scale);
	rest = all % scale;
	if (rest == 0)
		return p;
	*p++ = '.';
	while (rest > 0) {
		scale /= 10;
		*p++ = (char)('0' + rest / scale);
		rest %= scale;
	}
	return p;
}

static void
look_up(struct details *d, const struct rsvpgen_world *w, uint64_t event)
{
	uint64_t rng = rng_mix(w->seed * 3 + event + 1);
	uint64_t venue;

	d->event = event;
	d->number = 210000000 + event * 11 + rng_below(&rng, 11);
	d->group = rng_below(&rng, w->events / 3 + 1);
	d->group_bits = rng_mix(w->seed * 5 + d->group + 1);
	d->recurring = rng_below(&rng, 100) < 30;
	d->odd_name = rng_below(&rng, 100) < 12;
	d->has_time = rng_below(&rng, 1000) >= 6;
	venue = rng_below(&rng, 1000);
	if (venue < 165)
		d->venue = 0;
	else if (venue < 180)
		d->venue = ONLINE_VENUE;
	else
		d->venue = 30000000 + d->group * 3 + venue % 3;
	d->venue_bits = rng_mix(w->seed * 7 + d->venue);
	d->bits = rng_next(&rng);
}

static const struct word_city *
group_city(const struct details *d)
{
	uint64_t rng = d->group_bits;

	if (rng_below(&rng, 100) < 63)
		return &word_cities[rng_below(&rng, word_nstates)];
	return &word_cities[word_nstates +
	    rng_below(&rng, word_ncities - word_nstates)];
}

static const struct word *
odd_group(const struct details *d)
{
	if ((d->group_bits >> 8) % 100 >= 6)
		return NULL;
	return word_odd_groups[(d->group_bits >> 16) % word_nodd_groups];
}

/* "San-Diego-Hiking-123": the city's spaces become hyphens. */
static char *
add_urlname(char *p, const struct details *d)
{
	const struct word *odd = odd_group(d);
	char *from = p;

	if (odd != NULL)
		p = add_word(p, &odd[1]);
	else {
		p = add_word(p, &group_city(d)->name);
		*p++ = '-';
		p = add_word(p,
		    &word_topics[(d->group_bits >> 24) % word_ntopics].urlkey);
	}
	for (; from < p; from++) {
		if (*from == ' ')
			*from = '-';
	}
	*p++ = '-';
	return add_u64(p, d->group + 1);
}

static char *
add_topics(char *p, const struct details *d)
{
	uint64_t rng = rng_mix(d->group_bits);
	uint64_t n = rng_below(&rng, 11) + rng_below(&rng, 11) + 1;
	uint64_t at = rng_below(&rng, word_ntopics);
	/* The number of topics is a prime: any step visits each once. */
	uint64_t step = 1 + rng_below(&rng, word_ntopics - 1);
	uint64_t i;

	if (rng_below(&rng, 2000) == 0)
		n = 0;
	for (i = 0; i < n; i++) {
		if (i > 0)
			*p++ = ',';
		p = ADD(p, "{\"urlkey\":\"");
		p = add_word(p, &word_topics[at].urlkey);
		p = ADD(p, "\",\"topic_name\":\"");
		p = add_word(p, &word_topics[at].name);
		p = ADD(p, "\"}");
		at = (at + step) % word_ntopics;
	}
	return p;
}

static char *
add_group(char *p, const struct details *d)
{
	const struct word_city *city = group_city(d);
	const struct word *odd = odd_group(d);
	uint64_t kind = (d->group_bits >> 40) % word_ngroups;

	p = ADD(p, "\"group\":{\"group_topics\":[");
	p = add_topics(p, d);
	p = ADD(p, "],\"group_city\":\"");
	p = add_word(p, &city->name);
	p = ADD(p, "\",\"group_country\":\"");
	p = add_word(p, &city->country);
	p = ADD(p, "\",\"group_id\":");
	p = add_u64(p, 1500000 + d->group * 13);
	p = ADD(p, ",\"group_name\":\"");
	if (odd != NULL)
		p = add_word(p, &odd[0]);
	else {
		p = add_word(p, &city->name);
		*p++ = ' ';
		p = add_word(
		    p, &word_topics[(d->group_bits >> 24) % word_ntopics].name);
		p = add_word(p, &word_groups[kind]);
	}
	p = ADD(p, "\",\"group_lon\":");
	p = add_decimal(p, city->lon_e2, 2);
	p = ADD(p, ",\"group_urlname\":\"");
	p = add_urlname(p, d);
	*p++ = '"';
	if (city->state.len > 0) {
		p = ADD(p, ",\"group_state\":\"");
		p = add_word(p, &city->state);
		*p++ = '"';
	}
	p = ADD(p, ",\"group_lat\":");
	p = add_decimal(p, city->lat_e2, 2);
	*p++ = '}';
	return p;
}

/* Whether a change took the venue away, moved the time or renamed it. */
static bool
changed(const struct details *d, const struct rsvp *r, uint64_t what)
{
	return r->changed && (d->bits >> 60) % 3 == what;
}

static char *
add_venue(char *p, const struct details *d)
{
	const struct word_city *city = group_city(d);
	uint64_t rng = d->venue_bits;
	int64_t lat, lon;

	if (d->venue == ONLINE_VENUE)
		return ADD(p,
		    "\"venue\":{\"venue_name\":\"Online event\","
		    "\"lon\":179.1962,\"lat\":-8.521147,"
		    "\"venue_id\":26906060}");
	lat = city->lat_e2 * 10000LL + (int64_t)rng_below(&rng, 90000);
	lon = city->lon_e2 * 10000LL + (int64_t)rng_below(&rng, 90000);
	switch (rng_below(&rng, 200)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
		lat = 0;
		lon = 0;
		break;
	case 7:
		lat = lat / 1000000 * 1000000;
		break;
	default:
		break;
	}
	p = ADD(p, "\"venue\":{\"venue_name\":\"");
	p = add_word(p, &word_venues[rng_below(&rng, word_nvenues)]);
	if (rng_below(&rng, 20) == 0)
		*p++ = ' ';
	p = ADD(p, "\",\"lon\":");
	p = add_decimal(p, lon, 6);
	p = ADD(p, ",\"lat\":");
	p = add_decimal(p, lat, 6);
	p = ADD(p, ",\"venue_id\":");
	p = add_u64(p, d->venue);
	*p++ = '}';
	return p;
}

/* Nine digits, or twelve consonants for an event that recurs. */
static char *
add_event_id(char *p, const struct details *d)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxyz";
	uint64_t n = d->event;
	uint64_t bits = d->bits;
	int i;

	if (!d->recurring)
		return add_u64(p, d->number);
	for (i = 0; i < 6; i++) {
		*p++ = letters[(n + (uint64_t)i * 5) % 21];
		n /= 21;
	}
	p = ADD(p, "yw");
	for (i = 0; i < 4; i++) {
		*p++ = letters[bits % 21];
		bits /= 21;
	}
	return p;
}

static char *
add_event_name(char *p, const struct details *d, const struct rsvp *r)
{
	uint64_t topic = (d->bits >> 20) % word_ntopics;

	if (changed(d, r, 0))
		p = ADD(p, "NEW PLACE! ");
	if (r->fault == RSVP_BAD_UTF8)
		p = ADD(p, "caf\xc3(");
	if (d->odd_name)
		p = add_word(
		    p, &word_odd_events[(d->bits >> 8) % word_nodd_events]);
	else {
		p = add_word(p, &word_events[(d->bits >> 8) % word_nevents]);
		p = add_word(p, &word_topics[topic].name);
	}
	if ((d->bits >> 32) % 20 == 0)
		*p++ = ' ';
	return p;
}

static char *
add_event(char *p, const struct details *d, const struct rsvpgen_world *w,
    const struct rsvp *r)
{
	int64_t starts;

	starts = w->start_ms + (int64_t)((d->bits >> 36) % 60) * DAY_MS;
	starts = (starts / SLOT_MS + (int64_t)((d->bits >> 44) % 48)) * SLOT_MS;
	if (changed(d, r, 1))
		starts += SLOT_MS;
	p = ADD(p, "\"event\":{\"event_name\":\"");
	p = add_event_name(p, d, r);
	p = ADD(p, "\",\"event_id\":\"");
	p = add_event_id(p, d);
	if (d->has_time) {
		p = ADD(p, "\",\"time\":");
		p = add_i64(p, starts);
		p = ADD(p, ",\"event_url\":\"https:\\/\\/meetup.example\\/");
	} else
		p = ADD(p, "\",\"event_url\":\"https:\\/\\/meetup.example\\/");
	p = add_urlname(p, d);
	p = ADD(p, "\\/events\\/");
	p = add_u64(p, d->number);
	return ADD(p, "\\/\"}");
}

static char *
add_member(char *p, const struct rsvpgen_world *w, const struct rsvp *r)
{
	static const char hex[] = "0123456789ABCDEF";
	uint64_t bits = rng_mix(w->seed * 11 + r->member + 1);

	p = ADD(p, "\"member\":{\"member_id\":");
	p = add_u64(p, 1000000 + r->member * 73);
	if (bits % 100 >= 6) {
		p = ADD(p,
		    ",\"photo\":\"http:\\/\\/photos1.example.org\\/"
		    "photos\\/member\\/");
		p = add_u64(p, bits >> 8 & 15);
		p = ADD(p, "\\/");
		p = add_u64(p, bits >> 12 & 15);
		p = ADD(p, "\\/");
		p = add_u64(p, bits >> 16 & 15);
		p = ADD(p, "\\/");
		p = add_u64(p, bits >> 20 & 15);
		p = ADD(p, "\\/thumb_");
		p = add_u64(p, 10000000 + (bits >> 24) % 280000000);
		p = ADD(p, ".jpeg\"");
	}
	p = ADD(p, ",\"member_name\":\"");
	p = add_word(p, &word_members[(bits >> 40) % word_nmembers]);
	*p++ = ' ';
	*p++ = hex[bits >> 52 & 15];
	*p++ = hex[bits >> 56 & 15];
	*p++ = hex[bits >> 60 & 15];
	if (r->fault == RSVP_NUL)
		p = ADD(p, "\\u0000");
	return ADD(p, "\"}");
}

static char *
add_rsvp_id(char *p, const struct rsvp *r)
{
	p = ADD(p, "\"rsvp_id\":");
	if (r->fault != RSVP_ID_TEXT)
		return add_u64(p, r->rsvp_id);
	*p++ = '"';
	p = add_u64(p, r->rsvp_id);
	*p++ = '"';
	return p;
}

static char *
add_mtime(char *p, const struct rsvp *r)
{
	p = ADD(p, "\"mtime\":");
	if (r->fault == RSVP_SECONDS)
		return add_i64(p, r->mtime_ms / 1000);
	return add_i64(p, r->mtime_ms);
}

static char *
add_response(char *p, const struct rsvp *r)
{
	if (r->fault == RSVP_MAYBE)
		return ADD(p, "\"response\":\"maybe\"");
	return r->yes ? ADD(p, "\"response\":\"yes\"")
		      : ADD(p, "\"response\":\"no\"");
}

static char *
add_guests(char *p, const struct rsvp *r)
{
	p = ADD(p, "\"guests\":");
	return add_i64(p, r->fault == RSVP_MINUS ? -1 : r->guests);
}

/* 2017: the venue first, the group last. */
static char *
add_new_order(char *p, const struct details *d, const struct rsvpgen_world *w,
    const struct rsvp *r)
{
	*p++ = '{';
	if (d->venue != 0 && !changed(d, r, 2)) {
		p = add_venue(p, d);
		*p++ = ',';
	}
	p = ADD(p, "\"visibility\":\"public\",");
	p = add_response(p, r);
	*p++ = ',';
	p = add_guests(p, r);
	*p++ = ',';
	p = add_member(p, w, r);
	*p++ = ',';
	p = add_rsvp_id(p, r);
	*p++ = ',';
	p = add_mtime(p, r);
	*p++ = ',';
	p = add_event(p, d, w, r);
	*p++ = ',';
	p = add_group(p, d);
	*p++ = '}';
	return p;
}

/* 2015: the response first, the venue last. */
static char *
add_old_order(char *p, const struct details *d, const struct rsvpgen_world *w,
    const struct rsvp *r)
{
	*p++ = '{';
	p = add_response(p, r);
	*p++ = ',';
	p = add_member(p, w, r);
	p = ADD(p, ",\"visibility\":\"public\",");
	p = add_event(p, d, w, r);
	*p++ = ',';
	p = add_guests(p, r);
	*p++ = ',';
	p = add_mtime(p, r);
	*p++ = ',';
	p = add_rsvp_id(p, r);
	*p++ = ',';
	p = add_group(p, d);
	if (d->venue != 0 && !changed(d, r, 2)) {
		*p++ = ',';
		p = add_venue(p, d);
	}
	*p++ = '}';
	return p;
}

/* Writes the line, its newline included; returns its length. */
size_t
rsvpgen_text(char out[RSVPGEN_LINE_MAX], const struct rsvpgen_world *w,
    const struct rsvp *r)
{
	struct details d;
	char *p = out;

	if (r->fault == RSVP_NOT_JSON)
		p = ADD(p, "<html><h1>502 Bad Gateway<\\/h1><\\/html>");
	else if (r->fault == RSVP_NOT_OBJECT)
		p = ADD(p, "[]");
	else if (r->fault == RSVP_BARE) {
		*p++ = '{';
		p = add_rsvp_id(p, r);
		*p++ = '}';
	} else {
		look_up(&d, w, r->event);
		p = d.bits % 5 < 2 ? add_old_order(p, &d, w, r)
				   : add_new_order(p, &d, w, r);
		if (r->fault == RSVP_CUT)
			p -= (p - out) / 3;
	}
	*p++ = '\n';
	return (size_t)(p - out);
}
