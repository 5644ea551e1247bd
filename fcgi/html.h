/*
 * HTML at the end of a buffer: escaped text, and the frame of every page.
 * Links are relative, so Turnout can be mounted anywhere: base is "" for the
 * board, "../" for a page one folder below it.
 */
#ifndef TURNOUT_FCGI_HTML_H
#define TURNOUT_FCGI_HTML_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct details_group;
struct problem;

struct html_page {
	const char *title;
	const char *base;
	const char *q; /* what stands in the search box; NULL = nothing */
	bool script;   /* the one script comes with it */
};

void html_text(struct buf *, const char *);
bool html_blank(const char *);
void html_attr(struct buf *, const char *name, const char *value);
void html_url_path(struct buf *, const char *segment);
bool html_fits_path(const char *id);
bool html_url_safe(const char *url);
void html_time(struct buf *, int64_t wall_ms);
void html_moment(struct buf *, int64_t wall_ms);
void html_day(struct buf *, int64_t wall_ms);
void html_name(
    struct buf *, const char *tag, const char *name, const char *otherwise);
void html_number(struct buf *, int64_t);
void html_count(struct buf *, int64_t n, const char *label, bool by);
void html_event_link(
    struct buf *, const char *base, const char *event_id, const char *name);
void
html_group_link(struct buf *, const char *base, const struct details_group *);
void html_map(struct buf *, double lat, double lon);
void html_page_begin(struct buf *, const struct html_page *);
void html_page_end(struct buf *);
void html_problem(struct buf *, const struct problem *, const char *base);

#endif
