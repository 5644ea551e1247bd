/*
 * What is on with a group or at a venue, on a page: the events to come, then
 * those before, then those without a date, each part cut.
 */
#ifndef TURNOUT_FCGI_ON_H
#define TURNOUT_FCGI_ON_H

#include <stdbool.h>
#include <stddef.h>

#include "fcgi/details.h"

#define ON_MAX 20 /* events of a part */

enum on_part { ON_UPCOMING, ON_RECENT, ON_UNDATED, ON_PARTS };

struct on {
	struct {
		size_t n;
		bool cut; /* there are more */
		struct details_event events[ON_MAX];
	} parts[ON_PARTS];
};

void on_add_row(
    struct on *, size_t at_most, const PGresult *, int row, int part_column);
bool on_any(const struct on *);
void on_html(struct buf *, const struct on *, bool places);

#endif
