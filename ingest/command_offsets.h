/* turnout-ingest offsets set, apart from show: command_offsets*.c only. */
#ifndef TURNOUT_INGEST_COMMAND_OFFSETS_H
#define TURNOUT_INGEST_COMMAND_OFFSETS_H

struct ingest_conf;

int offsets_set_command(const struct ingest_conf *, int argc, char **argv);

#endif
