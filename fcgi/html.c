/* The HTML writer; see html.h. */
#include "config.h"

#include <string.h>

#include "fcgi/html.h"
#include "fcgi/request.h"
#include "lib/buf.h"
#include "lib/clock.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Adds text for between tags or between double quotes. */
void
html_text(struct buf *b, const char *s)
{
	size_t plain;

	for (; *s != '\0'; s++) {
		plain = strcspn(s, "&<>\"'");
		buf_add(b, s, plain);
		s += plain;
		switch (*s) {
		case '&':
			buf_adds(b, "&amp;");
			break;
		case '<':
			buf_adds(b, "&lt;");
			break;
		case '>':
			buf_adds(b, "&gt;");
			break;
		case '"':
			buf_adds(b, "&quot;");
			break;
		case '\'':
			buf_adds(b, "&#39;");
			break;
		default:
			return;
		}
	}
}

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

/* Adds a time element: 2017-03-24 21:00 UTC for people. */
void
html_time(struct buf *b, int64_t wall_ms)
{
	char iso[CLOCK_ISO_LEN];

	clock_iso(iso, wall_ms);
	buf_adds(b, "<time");
	html_attr(b, "datetime", iso);
	buf_addf(b, ">%.10s %.5s", iso, iso + 11);
	if (strncmp(iso + 16, ":00Z", 4) != 0)
		buf_addf(b, "%.3s", iso + 16);
	buf_adds(b, " UTC</time>");
}

static bool
blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

/*
 * Adds a name that somebody chose, in an element that finds out its direction
 * and keeps it inside; without a name the same with the text otherwise.
 */
void
html_name(
    struct buf *b, const char *tag, const char *name, const char *otherwise)
{
	if (name == NULL || blank(name))
		name = otherwise;
	buf_addf(b, "<%s dir=\"auto\">", tag);
	html_text(b, name);
	buf_addf(b, "</%s>", tag);
}

/* Adds all that comes before the content of a page, and the one script. */
void
html_page_begin(struct buf *b, const char *title, const char *base, bool script)
{
	buf_adds(b,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n<meta name=\"viewport\""
	    " content=\"width=device-width, initial-scale=1\">\n"
	    "<title>");
	html_text(b, title);
	buf_adds(b, "</title>\n<link rel=\"stylesheet\" href=\"");
	html_text(b, base);
	buf_adds(b,
	    "static/style.css\">\n<link rel=\"icon\""
	    " type=\"image/svg+xml\" href=\"");
	html_text(b, base);
	buf_adds(b, "static/icon.svg\">\n");
	if (script) {
		buf_adds(b, "<script src=\"");
		html_text(b, base);
		buf_adds(b, "static/app.js\" defer></script>\n");
	}
	buf_adds(b, "</head>\n<body>\n<header class=\"site\"><a href=\"");
	html_text(b, base[0] == '\0' ? "./" : base);
	buf_adds(b, "\">Turnout</a></header>\n<main>\n");
}

void
html_page_end(struct buf *b)
{
	buf_adds(b, "</main>\n</body>\n</html>\n");
}

/* Adds a whole page that tells why a request is refused. */
void
html_problem(struct buf *b, const struct problem *p, const char *base)
{
	html_page_begin(b, p->title, base, false);
	buf_adds(b, "<section class=\"problem\">\n<h1>");
	html_text(b, p->title);
	buf_adds(b, "</h1>\n<p>");
	html_text(b, p->detail);
	buf_adds(b, "</p>\n");
	if (p->param[0] != '\0') {
		buf_adds(b, "<p>Parameter: <code>");
		html_text(b, p->param);
		buf_adds(b, "</code></p>\n");
	}
	if (p->allowed[0] != '\0') {
		buf_adds(b, "<p>Allowed: ");
		html_text(b, p->allowed);
		buf_adds(b, "</p>\n");
	}
	if (p->retry_after_s > 0)
		buf_addf(b, "<p>Try again in %d s.</p>\n", p->retry_after_s);
	buf_adds(b, "<p><a href=\"");
	html_text(b, base[0] == '\0' ? "./" : base);
	buf_adds(b, "\">To the board</a></p>\n");
	buf_addf(
	    b, "<p class=\"status\">Status %d</p>\n</section>\n", p->status);
	html_page_end(b);
}
