/* A group or a venue as a page, with what is on there. */
#ifndef TURNOUT_FCGI_THING_PAGE_H
#define TURNOUT_FCGI_THING_PAGE_H

#include "fcgi/on.h"
#include "fcgi/thing.h"

struct thing_page {
	struct thing thing; /* without its busiest events */
	struct on on;
};

void thing_html(struct response *, const struct thing_page *);

#endif
