/*
 * Small plots as SVG, for a CSP that allows no style in them: classes and
 * attributes only, and a size that does not depend on what is in it.
 */
#ifndef TURNOUT_FCGI_PLOT_H
#define TURNOUT_FCGI_PLOT_H

#include <stddef.h>
#include <stdint.h>

#define PLOT_HOURS 24

struct buf;
struct history_point;

/* Bars of equal width, one a point. */
struct plot {
	size_t n;
	const struct history_point *points;
	int64_t step_ms;
};

void plot_hours(struct buf *, const int hours[PLOT_HOURS], int64_t from_ms);
void plot_history(struct buf *, const struct plot *);

#endif
