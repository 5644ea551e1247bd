/* What a form offers and how it is loaded; see choices.h. */
#include "config.h"

#include <string.h>

#include "fcgi/choices.h"
#include "fcgi/details.h"
#include "fcgi/fill.h"
#include "fcgi/json.h"
#include "lib/buf.h"

/* clang-format off */
#define CHOICES_SQL(columns, call, as) \
	"WITH a AS MATERIALIZED (SELECT x.* FROM " ANSWER_SQL " AS x)," \
	" c AS MATERIALIZED (SELECT f.* FROM turnout." call \
	"($1::integer) WITH ORDINALITY AS f " as ")" \
	" SELECT a.*, " columns ", c.groups" \
	" FROM a LEFT JOIN c ON true ORDER BY c.place"

static const struct {
	const char *name;  /* of the array */
	const char *value; /* of the members of an entry */
	const char *more;  /* NULL = there is none */
	const char *sql;
} kinds[] = {
	[CHOICES_TOPICS] = { "topics", "urlkey", "name",
	    CHOICES_SQL("c.urlkey, c.name", "topics",
		"(urlkey, name, groups, place)") },
	[CHOICES_CITIES] = { "cities", "city", "country",
	    CHOICES_SQL("c.city, c.country", "cities",
		"(city, country, groups, place)") },
	[CHOICES_COUNTRIES] = { "countries", "country", NULL,
	    CHOICES_SQL("c.country, NULL", "countries",
		"(country, groups, place)") },
};
/* clang-format on */

enum column {
	COLUMN_VALUE = ANSWER_COLUMNS,
	COLUMN_MORE,
	COLUMN_GROUPS,
};

/* Loads choices.  FILL_OK: choices_free() it; else *c is as it was. */
enum fill
choices_load(
    struct choices *c, enum choices_kind kind, struct db *db, int timeout_ms)
{
	enum fill rc = FILL_BUG;
	struct args args = { 0 };
	struct choice *choice;
	PGresult *res;
	int row, rows;

	args_number(&args, CHOICES_MAX);
	res = answer_query(db, kinds[kind].sql, &args, timeout_ms, &rc);
	if (res == NULL)
		return rc;
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->res = res;
	answer_from_row(&c->answer, res);
	rows = PQgetisnull(res, 0, COLUMN_VALUE) ? 0 : PQntuples(res);
	for (row = 0; row < rows && row < CHOICES_MAX; row++) {
		choice = &c->choices[c->n++];
		choice->value = details_text(res, row, COLUMN_VALUE);
		choice->more = details_text(res, row, COLUMN_MORE);
		choice->groups = details_number(res, row, COLUMN_GROUPS);
	}
	return FILL_OK;
}

void
choices_free(struct choices *c)
{
	PQclear(c->res);
	memset(c, 0, sizeof(*c));
}

/* Renders the answer of /api/topics, /api/cities and /api/countries. */
void
choices_json(struct response *out, const struct choices *c)
{
	struct buf *b = &out->body;
	struct answer_gap gap;
	size_t i;

	out->type = RESPONSE_JSON;
	buf_addc(b, '{');
	gap.from = b->len;
	out->mark_at = gap.to = answer_json(b, &c->answer);
	buf_addf(b, ",\"%s\":[", kinds[c->kind].name);
	for (i = 0; i < c->n; i++) {
		buf_addf(
		    b, "%s{\"%s\":", i == 0 ? "" : ",", kinds[c->kind].value);
		json_cstring(b, c->choices[i].value);
		if (kinds[c->kind].more != NULL) {
			buf_addf(b, ",\"%s\":", kinds[c->kind].more);
			json_cstring(b, c->choices[i].more);
		}
		buf_adds(b, ",\"groups\":");
		json_int(b, c->choices[i].groups);
		buf_addc(b, '}');
	}
	buf_adds(b, "]}\n");
	answer_finish(out, &c->answer, &gap, 1);
}

static enum fill
fill(
    enum choices_kind kind, struct response *out, struct db *db, int timeout_ms)
{
	struct choices c;
	enum fill rc;

	if ((rc = choices_load(&c, kind, db, timeout_ms)) != FILL_OK)
		return rc;
	choices_json(out, &c);
	choices_free(&c);
	return FILL_OK;
}

/* Fills /api/topics. */
enum fill
topics_fill(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	(void)r;
	return fill(CHOICES_TOPICS, out, db, timeout_ms);
}

/* Fills /api/cities. */
enum fill
cities_fill(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	(void)r;
	return fill(CHOICES_CITIES, out, db, timeout_ms);
}

/* Fills /api/countries. */
enum fill
countries_fill(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	(void)r;
	return fill(CHOICES_COUNTRIES, out, db, timeout_ms);
}
