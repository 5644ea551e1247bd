/*
 * What a client would rather have; see accept.h.  Of Accept (RFC 9110) only
 * what decides between two types is read, and what cannot be read counts for
 * nothing: JSON is never wrong.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "fcgi/accept.h"
#include "lib/attr.h"

/* How much a type is wanted, in thousandths, and by how exact a range. */
struct wish {
	const char *ranges[3]; /* the most exact first */
	int exact;	       /* index of the range that said it */
	int q;
};

/* Reads "1", "0.5", "0.123" up to what ends it; 0 for anything else. */
static int
quality(const char *text)
{
	int q, unit;

	if (*text != '0' && *text != '1')
		return 0;
	q = (*text++ - '0') * 1000;
	if (*text == '.')
		for (text++, unit = 100;
		     *text >= '0' && *text <= '9' && unit > 0; unit /= 10)
			q += (*text++ - '0') * unit;
	return q > 1000 || strchr(" \t,;", *text) == NULL ? 0 : q;
}

/* The q of a media range with its parameters, len bytes; 1 when not said. */
static int
quality_of(const char *range, size_t len)
{
	const char *p = range, *end = range + len;

	while ((p = memchr(p, ';', (size_t)(end - p))) != NULL) {
		p++;
		p += strspn(p, " \t");
		if (strncasecmp(p, "q=", 2) == 0)
			return quality(p + 2);
	}
	return 1000;
}

static void
hear(struct wish *wish, const char *range, size_t len)
{
	size_t name = strcspn(range, " \t,;");
	int i;

	for (i = 0; i < (int)NITEMS(wish->ranges); i++) {
		if (strlen(wish->ranges[i]) != name ||
		    strncasecmp(range, wish->ranges[i], name) != 0)
			continue;
		if (i < wish->exact) {
			wish->exact = i;
			wish->q = quality_of(range, len);
		}
	}
}

/*
 * Does an Accept header ask for CSV rather than JSON?  Only if it names CSV;
 * of two that are wanted alike the one that is named wins, JSON before CSV.
 */
bool
accept_csv(const char *header)
{
	struct wish csv = { { "text/csv", "text/*", "*/*" }, 3, 0 };
	struct wish json = { { "application/json", "application/*", "*/*" }, 3,
		0 };
	const char *p = header;
	size_t len;

	while (*p != '\0') {
		p += strspn(p, " \t,");
		len = strcspn(p, ",");
		if (len > 0) {
			hear(&csv, p, len);
			hear(&json, p, len);
		}
		p += len;
	}
	if (csv.exact != 0 || csv.q == 0)
		return false;
	return csv.q > json.q || (csv.q == json.q && json.exact > 0);
}
