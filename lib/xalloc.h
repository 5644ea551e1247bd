/*
 * Allocation that works or ends the process with one line on stderr.  Every
 * size that comes from outside is bounded before it gets here, and both
 * daemons are restarted by whoever supervises them.
 */
#ifndef TURNOUT_XALLOC_H
#define TURNOUT_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t);
void *xcalloc(size_t nmemb, size_t size);
void *xreallocarray(void *, size_t nmemb, size_t size);
char *xstrdup(const char *);
char *xstrndup(const char *, size_t);

#endif
