/* What the form suggests; see suggest.h. */
#include "config.h"

#include <string.h>

#include "fcgi/answer.h"
#include "fcgi/details.h"
#include "fcgi/suggest.h"
#include "fcgi/topk_query.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/log.h"

#define KEPT_MS 60000
#define KEPT_EMPTY_MS 5000 /* there may be groups soon */
#define SAMPLE 20000	   /* groups that are counted; topics: a tenth */

static const char suggest_sql[] =
    "SELECT kind, value, name, groups, whole FROM"
    " turnout.suggestions($1::integer, $2::integer)";

static struct suggestions kept;
static PGresult *kept_res; /* owns its text */
static int64_t kept_until_ms;
static struct log_trouble trouble = { .what = "the form's suggestions" };

/* Would the parameter take it? */
static bool
askable(const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	size_t characters = 0;

	for (; *s != '\0'; s++) {
		if (*s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0))
			return false;
		characters += (*s & 0xc0) != 0x80;
	}
	return characters > 0 && characters <= TOPK_TEXT_MAX;
}

static void
take(PGresult *res)
{
	struct suggestion *one;
	int row;

	PQclear(kept_res);
	kept_res = res;
	kept.n = 0;
	for (row = 0; row < PQntuples(res) && row < 3 * SUGGEST_MAX; row++) {
		if (!askable(PQgetvalue(res, row, 1)))
			continue;
		one = &kept.all[kept.n++];
		one->kind = PQgetvalue(res, row, 0);
		one->value = PQgetvalue(res, row, 1);
		one->name = details_text(res, row, 2);
		one->groups = details_number(res, row, 3);
		one->whole = PQgetvalue(res, row, 4)[0] == 't';
	}
}

/*
 * Borrows the suggestions, asked anew once a minute; while PostgreSQL does not
 * tell them, those it told before, or none.  Never fails.
 */
const struct suggestions *
suggest_get(struct db *db, int timeout_ms)
{
	const int64_t now = clock_mono_ms();
	struct args args = { 0 };
	enum fill why;
	PGresult *res;

	if (now < kept_until_ms)
		return &kept;
	args_number(&args, SUGGEST_MAX);
	args_number(&args, SAMPLE);
	res = answer_query(db, suggest_sql, &args, timeout_ms, &why);
	if (res == NULL) {
		log_trouble(
		    &trouble, "no suggestions for the form: %s", db_errstr(db));
	} else {
		log_trouble_over(&trouble);
		take(res);
	}
	kept_until_ms = now + (kept.n > 0 ? KEPT_MS : KEPT_EMPTY_MS);
	return &kept;
}
