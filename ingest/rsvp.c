/*
 * The grammar of an RSVP message; see rsvp.h.  The only file that calls
 * json-c, and never its coercing getters before the type is known.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "ingest/rsvp.h"
#include "ingest/rsvp_lex.h"
#include "lib/buf.h"
#include "lib/xalloc.h"

struct rsvp_parser {
	struct json_tokener *tok;
	struct json_object *root; /* of the last message: texts point into it */
	struct buf topics;
};

/* clang-format off */
const struct rsvp_reason_text rsvp_reasons[RSVP_REASONS] = {
	[RSVP_OK] =           { "ok",         "a valid message" },
	[RSVP_EMPTY] =        { "empty",      "the record has no value" },
	[RSVP_TOO_LARGE] =    { "size",       "the value is longer than 65536 bytes" },
	[RSVP_BAD_UTF8] =     { "utf8",       "the value is not UTF-8" },
	[RSVP_NUL] =          { "nul",        "the value holds a NUL, raw or as \\u0000" },
	[RSVP_CONTROL] =      { "control",    "a string holds a raw control character" },
	[RSVP_TRUNCATED] =    { "truncated",  "the JSON ends too early" },
	[RSVP_SYNTAX] =       { "syntax",     "the value is not JSON" },
	[RSVP_TRAILING] =     { "trailing",   "something follows the JSON" },
	[RSVP_TOO_DEEP] =     { "depth",      "objects or arrays are nested deeper than 16" },
	[RSVP_NOT_OBJECT] =   { "not_object", "the JSON is not an object" },
	[RSVP_BAD_RESPONSE] = { "response",   "response is none of yes, no, waitlist" },
	[RSVP_MISSING] =      { "missing_",   "a required field is absent" },
	[RSVP_TYPE] =         { "type_",      "a field is of another JSON type" },
	[RSVP_RANGE] =        { "_range",     "a number is out of its range" },
	[RSVP_LENGTH] =       { "_length",    "a text is empty or too long" },
};
/* clang-format on */

static int
refuse(struct rsvp_fault *fault, enum rsvp_reason reason, const char *field)
{
	fault->reason = reason;
	fault->field = field;
	return -1;
}

/* The member of an object; NULL when it is absent or null. */
static struct json_object *
member(struct json_object *obj, const char *key)
{
	struct json_object *val;

	return json_object_object_get_ex(obj, key, &val) ? val : NULL;
}

/*
 * A whole number in [min, max].  Absent: 0 with *out untouched when it is
 * optional.  json-c caps what does not fit at the ends of int64, so these
 * are never in a range.
 */
static int
get_int(struct json_object *obj, const char *key, bool required, int64_t min,
    int64_t max, int64_t *out, struct rsvp_fault *fault)
{
	struct json_object *val = member(obj, key);
	int64_t n;

	if (val == NULL)
		return required ? refuse(fault, RSVP_MISSING, key) : 0;
	if (!json_object_is_type(val, json_type_int))
		return refuse(fault, RSVP_TYPE, key);
	n = json_object_get_int64(val);
	if (n < min || n > max)
		return refuse(fault, RSVP_RANGE, key);
	*out = n;
	return 0;
}

/* A text of min..max bytes, borrowed from the message. */
static int
get_text(struct json_object *obj, const char *key, size_t min, size_t max,
    struct text *out, struct rsvp_fault *fault)
{
	struct json_object *val = member(obj, key);
	size_t len;

	if (val == NULL)
		return 0;
	if (!json_object_is_type(val, json_type_string))
		return refuse(fault, RSVP_TYPE, key);
	len = (size_t)json_object_get_string_len(val);
	if (len < min || len > max)
		return refuse(fault, RSVP_LENGTH, key);
	out->p = json_object_get_string(val);
	out->len = len;
	return 0;
}

/* Degrees; an integer is as good as a fraction. */
static int
get_degrees(struct json_object *obj, const char *key, double limit, bool *has,
    double *out, struct rsvp_fault *fault)
{
	struct json_object *val = member(obj, key);
	double d;

	*has = val != NULL;
	if (val == NULL)
		return 0;
	if (!json_object_is_type(val, json_type_double) &&
	    !json_object_is_type(val, json_type_int))
		return refuse(fault, RSVP_TYPE, key);
	d = json_object_get_double(val);
	if (!isfinite(d) || d < -limit || d > limit)
		return refuse(fault, RSVP_RANGE, key);
	*out = d == 0 ? 0 : d; /* no negative zero */
	return 0;
}

/* lat and lon go together: one without the other says nothing. */
static int
get_place(struct json_object *obj, const char *lat_key, const char *lon_key,
    bool *has, double *lat, double *lon, struct rsvp_fault *fault)
{
	bool has_lat, has_lon;

	if (get_degrees(obj, lat_key, 90, &has_lat, lat, fault) == -1 ||
	    get_degrees(obj, lon_key, 180, &has_lon, lon, fault) == -1)
		return -1;
	*has = has_lat && has_lon;
	return 0;
}

/* The object under key; NULL when absent, -1 when it is something else. */
static int
get_object(struct json_object *obj, const char *key, bool required,
    struct json_object **out, struct rsvp_fault *fault)
{
	*out = member(obj, key);
	if (*out == NULL)
		return required ? refuse(fault, RSVP_MISSING, key) : 0;
	if (!json_object_is_type(*out, json_type_object))
		return refuse(fault, RSVP_TYPE, key);
	return 0;
}

/* A JSON string of text, for the topics' column. */
static void
add_json_string(struct buf *b, const struct text *t)
{
	const char *p;

	if (t->p == NULL) {
		buf_adds(b, "null");
		return;
	}
	buf_addc(b, '"');
	for (p = t->p; p < t->p + t->len; p++) {
		if (*p == '"' || *p == '\\') {
			buf_addc(b, '\\');
			buf_addc(b, *p);
		} else if ((unsigned char)*p < 0x20)
			buf_addf(b, "\\u%04x", (unsigned)(unsigned char)*p);
		else
			buf_addc(b, *p);
	}
	buf_addc(b, '"');
}

/* group_topics, written anew with just the two members we keep. */
static int
get_topics(struct rsvp_parser *rp, struct json_object *group, struct text *out,
    struct rsvp_fault *fault)
{
	struct json_object *val = member(group, "group_topics"), *topic;
	struct text key, name;
	size_t i, n;

	if (val == NULL)
		return 0;
	if (!json_object_is_type(val, json_type_array))
		return refuse(fault, RSVP_TYPE, "group_topics");
	n = json_object_array_length(val);
	if (n > RSVP_TOPICS_MAX)
		return refuse(fault, RSVP_LENGTH, "group_topics");
	buf_clear(&rp->topics);
	buf_addc(&rp->topics, '[');
	for (i = 0; i < n; i++) {
		topic = json_object_array_get_idx(val, i);
		if (topic == NULL ||
		    !json_object_is_type(topic, json_type_object))
			return refuse(fault, RSVP_TYPE, "group_topics");
		memset(&key, 0, sizeof(key));
		memset(&name, 0, sizeof(name));
		if (get_text(topic, "urlkey", 0, RSVP_TEXT_MAX, &key, fault) ==
			-1 ||
		    get_text(topic, "topic_name", 0, RSVP_TEXT_MAX, &name,
			fault) == -1)
			return -1;
		buf_adds(
		    &rp->topics, i == 0 ? "{\"urlkey\":" : ",{\"urlkey\":");
		add_json_string(&rp->topics, &key);
		buf_adds(&rp->topics, ",\"topic_name\":");
		add_json_string(&rp->topics, &name);
		buf_addc(&rp->topics, '}');
	}
	buf_addc(&rp->topics, ']');
	out->p = buf_str(&rp->topics);
	out->len = rp->topics.len;
	return 0;
}

static int
read_event(struct json_object *root, struct rsvp *r, struct rsvp_fault *fault)
{
	struct json_object *event;

	if (get_object(root, "event", true, &event, fault) == -1 ||
	    get_text(event, "event_id", 1, RSVP_ID_TEXT_MAX, &r->event_id,
		fault) == -1 ||
	    get_text(event, "event_name", 0, RSVP_TEXT_MAX, &r->event_name,
		fault) == -1 ||
	    get_text(event, "event_url", 0, RSVP_TEXT_MAX, &r->event_url,
		fault) == -1 ||
	    get_int(event, "time", false, 0, RSVP_TIME_MAX, &r->starts_ms,
		fault) == -1)
		return -1;
	if (r->event_id.p == NULL)
		return refuse(fault, RSVP_MISSING, "event_id");
	return 0;
}

static int
read_group(struct rsvp_parser *rp, struct json_object *root,
    struct rsvp_group *g, struct rsvp_fault *fault)
{
	struct json_object *group;

	/* clang-format off */
	if (get_object(root, "group", true, &group, fault) == -1 ||
	    get_int(group, "group_id", true, 1, INT64_MAX - 1, &g->group_id, fault) == -1 ||
	    get_text(group, "group_name", 0, RSVP_TEXT_MAX, &g->name, fault) == -1 ||
	    get_text(group, "group_urlname", 0, RSVP_TEXT_MAX, &g->urlname, fault) == -1 ||
	    get_text(group, "group_city", 0, RSVP_TEXT_MAX, &g->city, fault) == -1 ||
	    get_text(group, "group_state", 0, RSVP_TEXT_MAX, &g->state, fault) == -1 ||
	    get_text(group, "group_country", 0, RSVP_TEXT_MAX, &g->country, fault) == -1 ||
	    get_place(group, "group_lat", "group_lon", &g->has_place, &g->lat, &g->lon, fault) == -1)
		return -1;
	/* clang-format on */
	return get_topics(rp, group, &g->topics, fault);
}

static int
read_venue(
    struct json_object *root, struct rsvp_venue *v, struct rsvp_fault *fault)
{
	struct json_object *venue;

	v->venue_id = RSVP_ABSENT;
	if (get_object(root, "venue", false, &venue, fault) == -1)
		return -1;
	if (venue == NULL)
		return 0;
	if (get_int(venue, "venue_id", true, 1, INT64_MAX - 1, &v->venue_id,
		fault) == -1 ||
	    get_text(venue, "venue_name", 0, RSVP_TEXT_MAX, &v->name, fault) ==
		-1 ||
	    get_place(venue, "lat", "lon", &v->has_place, &v->lat, &v->lon,
		fault) == -1)
		return -1;
	if (v->lat == 0 && v->lon == 0)
		v->has_place = false;
	return 0;
}

static int
read_member(struct json_object *root, struct rsvp *r, struct rsvp_fault *fault)
{
	struct json_object *m;

	r->member_id = RSVP_ABSENT;
	if (get_object(root, "member", false, &m, fault) == -1)
		return -1;
	if (m == NULL)
		return 0;
	if (get_int(m, "member_id", true, 1, INT64_MAX - 1, &r->member_id,
		fault) == -1 ||
	    get_text(m, "member_name", 0, RSVP_TEXT_MAX, &r->member_name,
		fault) == -1 ||
	    get_text(m, "photo", 0, RSVP_TEXT_MAX, &r->member_photo, fault) ==
		-1)
		return -1;
	return 0;
}

static int
read_response(
    struct json_object *root, struct rsvp *r, struct rsvp_fault *fault)
{
	static const char *const names[] = { [RSVP_YES] = "yes",
		[RSVP_WAITLIST] = "waitlist",
		[RSVP_NO] = "no" };
	struct json_object *val = member(root, "response");
	size_t i;

	if (val == NULL)
		return refuse(fault, RSVP_MISSING, "response");
	if (!json_object_is_type(val, json_type_string))
		return refuse(fault, RSVP_TYPE, "response");
	for (i = 0; i < NITEMS(names); i++) {
		if (strcmp(json_object_get_string(val), names[i]) == 0) {
			r->response = (enum rsvp_response)i;
			return 0;
		}
	}
	return refuse(fault, RSVP_BAD_RESPONSE, NULL);
}

static int
read_message(struct rsvp_parser *rp, int64_t now_ms, struct rsvp *r,
    struct rsvp_fault *fault)
{
	int64_t guests = RSVP_ABSENT;
	/* A record's own time may be nonsense, too. */
	int64_t latest = now_ms > RSVP_TIME_MAX - RSVP_FUTURE_MS
	    ? RSVP_TIME_MAX
	    : now_ms + RSVP_FUTURE_MS;

	r->starts_ms = RSVP_ABSENT;
	if (get_int(rp->root, "rsvp_id", true, 1, INT64_MAX - 1, &r->rsvp_id,
		fault) == -1 ||
	    get_int(rp->root, "mtime", true, RSVP_TIME_MIN, latest,
		&r->mtime_ms, fault) == -1 ||
	    read_response(rp->root, r, fault) == -1 ||
	    get_int(rp->root, "guests", false, 0, RSVP_GUESTS_MAX, &guests,
		fault) == -1 ||
	    read_event(rp->root, r, fault) == -1 ||
	    read_group(rp, rp->root, &r->group, fault) == -1 ||
	    read_venue(rp->root, &r->venue, fault) == -1 ||
	    read_member(rp->root, r, fault) == -1)
		return -1;
	r->guests = (int)guests;
	return 0;
}

struct rsvp_parser *
rsvp_parser_open(void)
{
	struct rsvp_parser *rp = xcalloc(1, sizeof(*rp));

	/* json-c counts a scalar as a level of its own. */
	if ((rp->tok = json_tokener_new_ex(RSVP_DEPTH_MAX + 2)) == NULL)
		abort();
	json_tokener_set_flags(rp->tok,
	    JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 |
		JSON_TOKENER_ALLOW_TRAILING_CHARS);
	return rp;
}

static enum rsvp_reason
parse_json(struct rsvp_parser *rp, const char *value, size_t len)
{
	enum json_tokener_error err;
	size_t end;

	json_tokener_reset(rp->tok);
	rp->root = json_tokener_parse_ex(rp->tok, value, (int)len);
	err = json_tokener_get_error(rp->tok);
	if (err == json_tokener_continue) {
		/* A bare number has no end of its own: the NUL ends it. */
		rp->root = json_tokener_parse_ex(rp->tok, "", 1);
		err = json_tokener_get_error(rp->tok);
		if (err != json_tokener_success)
			return RSVP_TRUNCATED;
		end = len;
	} else
		end = json_tokener_get_parse_end(rp->tok);
	if (err == json_tokener_error_depth)
		return RSVP_TOO_DEEP;
	if (err != json_tokener_success)
		return RSVP_SYNTAX;
	while (end < len && strchr(" \t\r\n", value[end]) != NULL)
		end++;
	if (end < len)
		return RSVP_TRAILING;
	if (!json_object_is_type(rp->root, json_type_object))
		return RSVP_NOT_OBJECT;
	return RSVP_OK;
}

/*
 * Reads one message of len bytes (value may be NULL: a record without one).
 * now_ms, the record's own time, bounds how far mtime may lie ahead.  Returns
 * 0 with *r filled, its texts borrowed until the next call; or -1 with the
 * reason in *fault, *r untouched.
 */
int
rsvp_parse(struct rsvp_parser *rp, const void *value, size_t len,
    int64_t now_ms, struct rsvp *r, struct rsvp_fault *fault)
{
	struct rsvp fresh = { 0 };
	enum rsvp_reason reason;

	json_object_put(rp->root);
	rp->root = NULL;
	if (value == NULL || len == 0)
		return refuse(fault, RSVP_EMPTY, NULL);
	if (len > RSVP_SIZE_MAX)
		return refuse(fault, RSVP_TOO_LARGE, NULL);
	if ((reason = rsvp_lex(value, len)) != RSVP_OK ||
	    (reason = parse_json(rp, value, len)) != RSVP_OK)
		return refuse(fault, reason, NULL);
	if (read_message(rp, now_ms, &fresh, fault) == -1)
		return -1;
	*r = fresh;
	return 0;
}

/* The code for dead_letters.reason: "syntax", "type_mtime", "guests_range". */
void
rsvp_fault_code(const struct rsvp_fault *fault, char *out, size_t room)
{
	const char *code = rsvp_reasons[fault->reason].code;
	const char *field = fault->field == NULL ? "" : fault->field;

	if (code[0] == '_')
		snprintf(out, room, "%s%s", field, code);
	else
		snprintf(out, room, "%s%s", code, field);
}

void
rsvp_parser_close(struct rsvp_parser *rp)
{
	if (rp == NULL)
		return;
	json_object_put(rp->root);
	json_tokener_free(rp->tok);
	buf_free(&rp->topics);
	free(rp);
}
