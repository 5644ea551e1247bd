/* How a page asks for another board: links, and a form. */
#ifndef TURNOUT_FCGI_TOPK_FORM_H
#define TURNOUT_FCGI_TOPK_FORM_H

struct buf;
struct range;
struct suggestions;
struct topk_query;

void topk_link(struct buf *, const char *path, const struct topk_query *,
    const struct range *);
void topk_windows(struct buf *, const struct topk_query *);
void topk_form(struct buf *, const struct topk_query *);
void topk_suggestions(struct buf *, const struct suggestions *);

#endif
