/* The parameters of all routes; see param.h. */
#include "config.h"

#include <string.h>

#include "fcgi/param.h"
#include "fcgi/range.h"
#include "fcgi/request.h"
#include "lib/clock.h"
#include "lib/conf.h"

/* conf_number() takes "-5" and "007"; here neither is a number. */
static int
take_number(int *out, const char *value, int min, int max)
{
	long n;

	if (value[0] == '-' || (value[0] == '0' && value[1] != '\0') ||
	    conf_number(&n, value, min, max) == -1)
		return -1;
	*out = (int)n;
	return 0;
}

static int
take_k(struct request *r, const char *value)
{
	return take_number(&r->topk.k, value, 1, TOPK_K_MAX);
}

static int
take_by(struct request *r, const char *value)
{
	enum topk_by by;

	for (by = TOPK_BY_RSVPS; by <= TOPK_BY_HEADCOUNT; by++) {
		if (strcmp(value, topk_by_name(by)) == 0) {
			r->topk.by = by;
			return 0;
		}
	}
	return -1;
}

static int
take_window(struct request *r, const char *value)
{
	return range_window(&r->topk.range, value);
}

static int
take_date(struct request *r, const char *value)
{
	struct range *range = &r->topk.range;

	if (clock_parse_day(&range->from_ms, value) == -1)
		return -1;
	range->to_ms = range->from_ms + CLOCK_DAY_MS;
	return range->to_ms > CLOCK_MAX_MS ? -1 : 0; /* it could not be told */
}

static int
take_from(struct request *r, const char *value)
{
	return clock_parse_time(&r->topk.range.from_ms, value);
}

static int
take_to(struct request *r, const char *value)
{
	return clock_parse_time(&r->topk.range.to_ms, value);
}

/* Kept in lower case, as the stream has it: "US" and "us" are one question. */
static int
take_country(struct request *r, const char *value)
{
	char *country = r->topk.filter.country;
	size_t i;

	if (strlen(value) != 2)
		return -1;
	for (i = 0; i < 2; i++) {
		country[i] = (char)(value[i] | 0x20);
		if (country[i] < 'a' || country[i] > 'z')
			return -1;
	}
	return 0;
}

/* Takes 1 to TOPK_TEXT_MAX characters; they were decoded, so it is UTF-8. */
static int
take_text(char out[TOPK_TEXT_SIZE], const char *value)
{
	size_t len = strlen(value), characters = 0, i;

	for (i = 0; i < len; i++)
		characters += (value[i] & 0xc0) != 0x80;
	if (characters == 0 || characters > TOPK_TEXT_MAX)
		return -1;
	memcpy(out, value, len + 1);
	return 0;
}

static int
take_city(struct request *r, const char *value)
{
	return take_text(r->topk.filter.city, value);
}

static int
take_group(struct request *r, const char *value)
{
	if (value[strspn(value, "0123456789")] == '\0')
		return request_number(&r->topk.filter.group_id, value);
	return take_text(r->topk.filter.group_urlname, value);
}

static int
take_topic(struct request *r, const char *value)
{
	return take_text(r->topk.filter.topic, value);
}

static int
take_when(struct request *r, const char *value)
{
	enum topk_when when;

	for (when = TOPK_WHEN_ANY; when <= TOPK_WHEN_PAST; when++) {
		if (strcmp(value, topk_when_name(when)) == 0) {
			r->topk.filter.when = when;
			return 0;
		}
	}
	return -1;
}

static int
take_format(struct request *r, const char *value)
{
	r->csv = strcmp(value, "csv") == 0;
	return r->csv || strcmp(value, "json") == 0 ? 0 : -1;
}

static int
take_step(struct request *r, const char *value)
{
	return range_step(&r->step_ms, value);
}

static int
take_around(struct request *r, const char *value)
{
	return take_number(&r->around, value, 0, REQUEST_AROUND_MAX);
}

static int
take_event_id(struct request *r, const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || len > REQUEST_ID_MAX)
		return -1;
	memcpy(r->id, value, len + 1);
	return 0;
}

static int
take_q(struct request *r, const char *value)
{
	return take_text(r->words, value);
}

static int
take_limit(struct request *r, const char *value)
{
	return take_number(&r->limit, value, 1, REQUEST_LIMIT_MAX);
}

#define A_TEXT "1 to 100 characters of UTF-8, none a control character"

/* clang-format off */
static const struct {
	const char *name;
	const char *allowed;
	int (*take)(struct request *, const char *value);
} params[] = {
	[PARAM_K]       = { "k", "a whole number from 1 to 1000", take_k },
	[PARAM_BY]      = { "by", "rsvps or headcount", take_by },
	[PARAM_WINDOW]  = { "window", "a whole number and m, h or d, as 90m, 24h or 7d, up to 400d", take_window },
	[PARAM_DATE]    = { "date", "a day as YYYY-MM-DD, from 1970-01-01 to 9999-12-30", take_date },
	[PARAM_FROM]    = { "from", "a time of RFC 3339 from 1970 on, as 2017-03-19T12:30:00.120Z, with a + written as %2B", take_from },
	[PARAM_TO]      = { "to", "a time of RFC 3339 from 1970 on, as 2017-03-19T12:30:00.120Z, with a + written as %2B", take_to },
	[PARAM_COUNTRY] = { "country", "two letters, as us", take_country },
	[PARAM_CITY]    = { "city", A_TEXT, take_city },
	[PARAM_GROUP]   = { "group", "a group's id, a whole number from 1 to 9223372036854775807, or its urlname, up to 100 characters", take_group },
	[PARAM_TOPIC]   = { "topic", "a topic's urlkey, " A_TEXT, take_topic },
	[PARAM_WHEN]    = { "when", "any, upcoming, week or past", take_when },
	[PARAM_FORMAT]  = { "format", "json or csv", take_format },
	[PARAM_STEP]    = { "step", "1h, 1d or 1w", take_step },
	[PARAM_AROUND]  = { "around", "a whole number from 0 to 20", take_around },
	[PARAM_EVENT_ID] = { "event_id", "an event's id, 1 to 512 bytes of UTF-8", take_event_id },
	[PARAM_Q]       = { "q", A_TEXT, take_q },
	[PARAM_LIMIT]   = { "limit", "a whole number from 1 to 100", take_limit },
};
/* clang-format on */

/* The parameter of a name; PARAMS: there is none. */
enum param
param_find(const char *name)
{
	enum param i;

	for (i = 0; i < PARAMS; i++)
		if (strcmp(name, params[i].name) == 0)
			break;
	return i;
}

const char *
param_name(enum param param)
{
	return params[param].name;
}

/* What it may be, for "must be ...". */
const char *
param_allowed(enum param param)
{
	return params[param].allowed;
}

/* Reads a value, decoded already; -1 when it is not allowed. */
int
param_take(struct request *r, enum param param, const char *value)
{
	return params[param].take(r, value);
}
