/* The HTML writer; see html.h. */
#include "config.h"

#include <string.h>

#include "fcgi/html.h"
#include "fcgi/request.h"
#include "fcgi/words.h"
#include "lib/buf.h"
#include "lib/clock.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Adds a space and name="value". */
void
html_attr(struct buf *b, const char *name, const char *value)
{
	buf_addc(b, ' ');
	buf_adds(b, name);
	buf_adds(b, "=\"");
	html_text(b, value);
	buf_addc(b, '"');
}

/*
 * Adds one segment of a path, percent-encoded whole, "/" too.  Safe in an
 * attribute.  "." and ".." cannot be made safe so: no browser keeps them.
 */
void
html_url_path(struct buf *b, const char *segment)
{
	for (; *segment != '\0'; segment++) {
		if (strchr(LETTERS DIGITS "-._~", *segment) != NULL)
			buf_addc(b, *segment);
		else
			buf_addf(
			    b, "%%%02X", (unsigned)(unsigned char)*segment);
	}
}

/*
 * Whether an address that somebody sent may become a link: http or https, a
 * plain host with perhaps a port, nobody's password, and nothing in the rest
 * that a browser would strip, repair or take for a quote.
 */
bool
html_url_safe(const char *url)
{
	size_t host;

	if (strncmp(url, "https://", 8) == 0)
		url += 8;
	else if (strncmp(url, "http://", 7) == 0)
		url += 7;
	else
		return false;
	host = strspn(url, LETTERS DIGITS "-.");
	if (host == 0 || url[0] == '.' || url[0] == '-')
		return false;
	url += host;
	if (*url == ':' && (host = strspn(url + 1, DIGITS)) > 0)
		url += 1 + host;
	if (*url != '\0' && strchr("/?#", *url) == NULL)
		return false;
	for (; *url != '\0'; url++)
		if ((unsigned char)*url <= 0x20 || *url == 0x7f ||
		    strchr("\"'<>\\^`{|}", *url) != NULL)
			return false;
	return true;
}

static void
add_time(struct buf *b, int64_t wall_ms, bool seconds)
{
	char iso[CLOCK_ISO_LEN];

	buf_adds(b, "<time");
	html_attr(b, "datetime", clock_iso(iso, wall_ms));
	buf_addc(b, '>');
	words_date_time(b, wall_ms, seconds);
	buf_adds(b, "</time>");
}

/* Adds a time element, for people in their language. */
void
html_time(struct buf *b, int64_t wall_ms)
{
	add_time(b, wall_ms, false);
}

/* The same of a time that goes on while it is looked at: it has its seconds
 * always, or what stands behind it would jump once a minute. */
void
html_moment(struct buf *b, int64_t wall_ms)
{
	add_time(b, wall_ms, true);
}

/* The same for a day. */
void
html_day(struct buf *b, int64_t wall_ms)
{
	char iso[CLOCK_ISO_LEN];

	clock_iso(iso, wall_ms);
	buf_addf(b, "<time datetime=\"%.10s\">", iso);
	words_date(b, wall_ms);
	buf_adds(b, "</time>");
}

void
html_number(struct buf *b, int64_t n)
{
	char number[WORDS_NUMBER_LEN];

	buf_adds(b, words_number(number, n));
}

/* Adds a cell with a count; by: the table is ordered by it.  Where the
 * headings have no place the style puts the label behind the number. */
void
html_count(struct buf *b, int64_t n, const char *label, bool by)
{
	buf_addf(b, "<td class=\"count%s\"", by ? " by" : "");
	html_attr(b, "data-label", label);
	buf_addc(b, '>');
	html_number(b, n);
	buf_adds(b, "</td>\n");
}

/*
 * Adds a name that somebody chose, in an element that finds out its direction
 * and keeps it inside; where nothing of it can be seen the text otherwise.
 */
void
html_name(
    struct buf *b, const char *tag, const char *name, const char *otherwise)
{
	if (html_blank(name))
		name = otherwise;
	buf_addf(b, "<%s dir=\"auto\">", tag);
	html_text(b, name);
	buf_addf(b, "</%s>", tag);
}

/* A link to a file of ours, up to and with the quote after it. */
static void
add_file(struct buf *b, const char *before, const char *base, const char *name)
{
	buf_adds(b, before);
	html_text(b, base);
	buf_adds(b, name);
	buf_addc(b, '"');
}

/* The name of the site, and the search box. */
static void
add_header(struct buf *b, const struct html_page *page)
{
	add_file(b, "<header class=\"site\">\n<a class=\"home\" href=\"",
	    page->base[0] == '\0' ? "./" : page->base, "");
	buf_addf(b, ">%s</a>\n", word(W_SITE));
	add_file(b,
	    "<form class=\"search\" role=\"search\" method=\"get\" action=\"",
	    page->base, "search");
	buf_adds(b, ">\n<label class=\"hidden\" for=\"q\">");
	buf_adds(b, word(W_SEARCH_LABEL));
	buf_adds(b,
	    "</label>\n<input id=\"q\" name=\"q\" type=\"search\""
	    " maxlength=\"100\"");
	html_attr(b, "placeholder", word(W_SEARCH_HINT));
	if (page->q != NULL)
		html_attr(b, "value", page->q);
	buf_addf(b,
	    ">\n<button type=\"submit\">%s</button>\n</form>\n</header>\n",
	    word(W_SEARCH_BUTTON));
}

/* Adds all that comes before the content of a page. */
void
html_page_begin(struct buf *b, const struct html_page *page)
{
	buf_adds(b, "<!DOCTYPE html>\n<html");
	html_attr(b, "lang", words_tag());
	buf_adds(b,
	    ">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\""
	    " content=\"width=device-width, initial-scale=1\">\n<title>");
	html_text(b, page->title);
	add_file(b, "</title>\n<link rel=\"stylesheet\" href=\"", page->base,
	    "static/style.css");
	add_file(b, ">\n<link rel=\"icon\" type=\"image/svg+xml\" href=\"",
	    page->base, "static/icon.svg");
	buf_adds(b, ">\n");
	if (page->script) {
		add_file(b, "<script src=\"", page->base, "static/app.js");
		buf_adds(b, " defer></script>\n");
	}
	buf_adds(b, "</head>\n<body>\n");
	add_header(b, page);
	buf_adds(b, "<main>\n");
}

void
html_page_end(struct buf *b)
{
	buf_adds(b, "</main>\n</body>\n</html>\n");
}

/* The sentences of a problem are the API's, whatever the page's language. */
#define ENGLISH " lang=\"en\""

static void
add_line(struct buf *b, enum word w, const char *tag, const char *attributes,
    const char *text)
{
	struct buf given = { 0 };

	buf_addf(&given, "<%s%s>", tag, attributes);
	html_text(&given, text);
	buf_addf(&given, "</%s>", tag);
	buf_adds(b, "<p>");
	words_add(b, w, buf_str(&given), NULL);
	buf_adds(b, "</p>\n");
	buf_free(&given);
}

static enum word
problem_title(int status)
{
	switch (status) {
	case 400:
		return W_PROBLEM_400;
	case 404:
		return W_PROBLEM_404;
	case 405:
		return W_PROBLEM_405;
	case 414:
		return W_PROBLEM_414;
	case 503:
		return W_PROBLEM_503;
	default:
		return W_PROBLEM_OTHER;
	}
}

/* Adds a whole page that tells why a request is refused. */
void
html_problem(struct buf *b, const struct problem *p, const char *base)
{
	const char *title = word(problem_title(p->status));
	const struct html_page page = { .title = title, .base = base };
	char number[WORDS_NUMBER_LEN];

	html_page_begin(b, &page);
	buf_adds(b, "<section class=\"problem\">\n<h1>");
	buf_addf(b, "%s</h1>\n<p%s>", title, ENGLISH);
	html_text(b, p->detail);
	buf_adds(b, "</p>\n");
	if (p->param[0] != '\0')
		add_line(b, W_PROBLEM_PARAMETER, "code", "", p->param);
	if (p->allowed[0] != '\0')
		add_line(b, W_PROBLEM_ALLOWED, "span", ENGLISH, p->allowed);
	if (p->retry_after_s > 0) {
		buf_adds(b, "<p>");
		words_add(b, W_PROBLEM_RETRY,
		    words_number(number, p->retry_after_s), NULL);
		buf_adds(b, "</p>\n");
	}
	add_file(b, "<p><a href=\"", base[0] == '\0' ? "./" : base, "");
	buf_addf(b, ">%s</a></p>\n<p class=\"status\">", word(W_TO_BOARD));
	words_add(b, W_PROBLEM_STATUS, words_number(number, p->status), NULL);
	buf_adds(b, "</p>\n</section>\n");
	html_page_end(b);
}
