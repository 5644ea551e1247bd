/* A difference between what is stored and what should be; see the header. */
#include "config.h"

#include <stdio.h>

#include "ingest/difference.h"

/* Prints one; an event's id may not write more than its line. */
void
difference_print(const char *indent, const char *line)
{
	fputs(indent, stdout);
	for (; *line != '\0'; line++)
		putchar(
		    (unsigned char)*line < ' ' || *line == 0x7f ? '?' : *line);
	putchar('\n');
}
