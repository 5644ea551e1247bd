/* Why a request is refused; see problem.h. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/problem.h"

/* Makes a problem; returns -1, for those who return it. */
int
problem(struct problem *p, int status, const char *title, const char *fmt, ...)
{
	va_list ap;

	memset(p, 0, sizeof(*p));
	p->status = status;
	p->title = title;
	va_start(ap, fmt);
	vsnprintf(p->detail, sizeof(p->detail), fmt, ap);
	va_end(ap);
	return -1;
}

/* Names a parameter in the answer: printable ASCII, the rest as "?". */
void
problem_param(struct problem *p, const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0' && i < sizeof(p->param) - 1; i++)
		p->param[i] = name[i] > 0x20 && name[i] < 0x7f ? name[i] : '?';
	p->param[i] = '\0';
}

/* Says what the parameter may be. */
void
problem_allowed(struct problem *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->allowed, sizeof(p->allowed), fmt, ap);
	va_end(ap);
}
