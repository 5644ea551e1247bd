/* What a page says below its board, or in place of one. */
#ifndef TURNOUT_FCGI_TOPK_NOTES_H
#define TURNOUT_FCGI_TOPK_NOTES_H

#include <stdbool.h>

struct buf;
struct topk;

bool topk_moves(const struct topk *);
void topk_filter_html(struct buf *, const struct topk *);
void topk_empty(struct buf *, const struct topk *);
void topk_notes(struct buf *, const struct topk *);

#endif
