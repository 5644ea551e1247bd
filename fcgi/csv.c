/*
 * The CSV writer; see csv.h.  Each field is followed by its comma, and the
 * end of a record takes the last one back.  An absent value is an empty
 * field, an empty text is "".
 */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "fcgi/csv.h"
#include "fcgi/json.h"
#include "lib/buf.h"

/* Adds a text, quoted where it must be; NULL = absent. */
void
csv_text(struct buf *b, const char *s)
{
	if (s == NULL) {
		buf_addc(b, ',');
		return;
	}
	if (s[0] != '\0' && s[strcspn(s, "\",\r\n")] == '\0') {
		buf_adds(b, s);
		buf_addc(b, ',');
		return;
	}
	buf_addc(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			buf_addc(b, '"');
		buf_addc(b, *s);
	}
	buf_adds(b, "\",");
}

void
csv_int(struct buf *b, int64_t n)
{
	json_int(b, n);
	buf_addc(b, ',');
}

void
csv_double(struct buf *b, double d)
{
	json_double(b, d);
	buf_addc(b, ',');
}

/* Ends a record, which has a field at least. */
void
csv_end(struct buf *b)
{
	assert(b->len > 0 && b->data[b->len - 1] == ',');
	b->len--;
	buf_adds(b, "\r\n");
}
