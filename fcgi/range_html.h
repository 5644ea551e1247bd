/* A range of time in words. */
#ifndef TURNOUT_FCGI_RANGE_HTML_H
#define TURNOUT_FCGI_RANGE_HTML_H

struct buf;
struct range;

void range_html(struct buf *, const struct range *);
void range_html_length(struct buf *, const struct range *);
void range_html_short(struct buf *, const struct range *);

#endif
