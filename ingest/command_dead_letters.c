/* turnout-ingest dead-letters */
#include "config.h"

#include "ingest/command.h"

int
command_dead_letters(const struct ingest_conf *conf, int argc, char **argv)
{
	(void)conf;
	(void)argc;
	(void)argv;
	return COMMAND_USAGE;
}
