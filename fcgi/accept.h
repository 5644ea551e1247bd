/* What a client would rather have: CSV or JSON.  Pure. */
#ifndef TURNOUT_FCGI_ACCEPT_H
#define TURNOUT_FCGI_ACCEPT_H

#include <stdbool.h>

bool accept_csv(const char *header);

#endif
