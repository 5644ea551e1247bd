/*
 * Text that somebody else wrote, made into HTML: what is special is escaped,
 * what HTML forbids (most control characters, noncharacters, bytes that are no
 * UTF-8) becomes U+FFFD, and what nobody would see is known.
 */
#include "config.h"

#include <stdint.h>
#include <unictype.h>
#include <unistr.h>

#include "fcgi/html.h"
#include "lib/buf.h"

#define REPLACEMENT "\xef\xbf\xbd"

static bool
forbidden(ucs4_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	    (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

/* The length of the character at s; what stands for it, NULL for itself. */
static int
look(const char *s, const char **instead)
{
	ucs4_t c;
	int n;

	*instead = NULL;
	switch (*s) {
	case '&':
		*instead = "&amp;";
		return 1;
	case '<':
		*instead = "&lt;";
		return 1;
	case '>':
		*instead = "&gt;";
		return 1;
	case '"':
		*instead = "&quot;";
		return 1;
	case '\'':
		*instead = "&#39;";
		return 1;
	case '\t':
	case '\n':
	case '\r':
		return 1;
	default:
		break;
	}
	if ((unsigned char)*s >= 0x20 && (unsigned char)*s < 0x7f)
		return 1;
	n = u8_strmbtouc(&c, (const uint8_t *)s);
	if (n < 1 || forbidden(c))
		*instead = REPLACEMENT;
	return n < 1 ? 1 : n;
}

/* Adds text for between tags or between double quotes. */
void
html_text(struct buf *b, const char *s)
{
	const char *from = s, *instead;
	int n;

	for (; *s != '\0'; s += n) {
		n = look(s, &instead);
		if (instead == NULL)
			continue;
		buf_add(b, from, (size_t)(s - from));
		buf_adds(b, instead);
		from = s + n;
	}
	buf_add(b, from, (size_t)(s - from));
}

/*
 * Whether nobody would see anything of a text (NULL, too): it has only white
 * space and characters that say how others are set.
 */
bool
html_blank(const char *s)
{
	ucs4_t c;
	int n;

	for (; s != NULL && *s != '\0'; s += n) {
		n = u8_strmbtouc(&c, (const uint8_t *)s);
		if (n < 1)
			return false;
		if (c != '\t' && c != '\n' && c != '\r' &&
		    !uc_is_general_category_withtable(
			c, UC_CATEGORY_MASK_Z | UC_CATEGORY_MASK_Cf))
			return false;
	}
	return true;
}
