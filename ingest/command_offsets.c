/* turnout-ingest offsets */
#include "config.h"

#include "ingest/command.h"

int
command_offsets(const struct ingest_conf *conf, int argc, char **argv)
{
	(void)conf;
	(void)argc;
	(void)argv;
	return COMMAND_USAGE;
}
