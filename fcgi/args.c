/* The parameters of one statement; see args.h. */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "fcgi/args.h"

/* Adds a text, which is borrowed. */
void
args_text(struct args *args, const char *text)
{
	assert(args->n < ARGS_MAX);
	args->values[args->n++] = text;
}

void
args_number(struct args *args, int64_t n)
{
	char *text = args->numbers[args->n];

	snprintf(text, sizeof(args->numbers[0]), "%" PRId64, n);
	args_text(args, text);
}

void
args_null(struct args *args)
{
	args_text(args, NULL);
}
