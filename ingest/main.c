/* turnout-ingest: keeps PostgreSQL true to a Kafka topic of RSVPs. */
#include "config.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ingest/command.h"
#include "ingest/consumer.h"
#include "ingest/ingest_conf.h"
#include "ingest/run.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/standard.h"
#include "lib/stop.h"

#define EXIT_USAGE 64  /* sysexits.h: EX_USAGE */
#define EXIT_CONFIG 78 /* EX_CONFIG */

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
    "usage: turnout-ingest [-c FILE] run\n"
    "       turnout-ingest [-c FILE] import [-q] FILE...\n"
    "       turnout-ingest [-c FILE] audit [--watch [--interval SECONDS]]"
    " [--json]\n"
    "       turnout-ingest [-c FILE] recount [--verify] [--event ID]"
    " [--since TIME]\n"
    "                                [--json]\n"
    "       turnout-ingest [-c FILE] dead-letters list|show|retry|drop ...\n"
    "       turnout-ingest [-c FILE] offsets show|set ...\n"
    "       turnout-ingest [-c FILE] check-config\n"
    "       turnout-ingest -h | -V\n"
    "\n"
    "  run            read RSVP messages from Kafka until SIGTERM\n"
    "  import         read them from files, a JSON object a line, plain or\n"
    "                 .gz; - is standard input; -q: no progress\n"
    "  audit          compare counters, days and offsets with the rows\n"
    "  recount        make counters and days anew from the rows\n"
    "  dead-letters   look at messages that were refused, and retry them\n"
    "  offsets        how far each partition is, and move one\n"
    "  check-config   say whether the configuration is right\n"
    "\n"
    "  -c FILE        the configuration (" SYSCONFDIR
    "/turnout/turnout-ingest.conf)\n"
    "  -n             the same as check-config\n"
    "  -h, -V         this text; the version\n"
    "\n"
    "turnout-ingest(8) has the rest.\n";

static int
usage(void)
{
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}

static int
import_command(const struct ingest_conf *conf, int argc, char **argv)
{
	bool quiet = false;
	int ch;

	optind = 0; /* glibc: start anew */
	while ((ch = getopt(argc, argv, "+q")) != -1) {
		if (ch != 'q')
			return COMMAND_USAGE;
		quiet = true;
	}
	if (optind == argc)
		return COMMAND_USAGE;
	return import_files(conf, argv + optind, argc - optind, quiet);
}

struct command {
	const char *name;
	int (*run)(const struct ingest_conf *, int argc, char **argv);
	bool kafka; /* works with Kafka, so its settings are checked */
};

static int
run_command(const struct ingest_conf *conf, int argc, char **argv)
{
	(void)argv;
	return argc == 1 ? run_daemon(conf) : COMMAND_USAGE;
}

static const char *conf_file; /* of -c; NULL = none was named */

static int
check_command(const struct ingest_conf *conf, int argc, char **argv)
{
	(void)conf;
	(void)argv;
	if (argc > 1)
		return COMMAND_USAGE;
	conf_say_ok(conf_path(conf_file, INGEST_CONF_PATH), INGEST_CONF_PATH);
	return 0;
}

static const struct command commands[] = {
	{ "run", run_command, true },
	{ "import", import_command, true },
	{ "audit", command_audit, false },
	{ "recount", command_recount, false },
	{ "dead-letters", command_dead_letters, false },
	{ "offsets", command_offsets, true },
	{ "check-config", check_command, true },
};

static const struct command *
find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NITEMS(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Returns 0, or -1 with a word to the user. */
static int
load(struct ingest_conf *conf, const char *path, bool kafka)
{
	struct buf why = { 0 };
	int rc = 0;

	if (ingest_conf_load(conf, path, &why) == -1) {
		log_error("%s", buf_str(&why));
		rc = -1;
	} else if (kafka && consumer_check(conf, &why) == -1) {
		log_error("%s: %s",
		    path == NULL ? "the default configuration" : path,
		    buf_str(&why));
		ingest_conf_free(conf);
		rc = -1;
	}
	buf_free(&why);
	return rc;
}

int
main(int argc, char **argv)
{
	const struct command *command;
	struct ingest_conf conf;
	bool check = false;
	int ch, status;

	standard_open();
	log_open("turnout-ingest", LOG_LEVEL_INFO);
	while ((ch = getopt_long(argc, argv, "+c:hnV", options, NULL)) != -1) {
		switch (ch) {
		case 'c':
			conf_file = optarg;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		case 'n':
			check = true;
			break;
		case 'V':
			puts("turnout-ingest " PACKAGE_VERSION);
			return 0;
		default:
			return usage();
		}
	}
	command = find_command(check ? "check-config"
		: optind < argc	     ? argv[optind]
				     : "");
	if (command == NULL) {
		if (optind < argc)
			log_error("there is no command \"%s\"", argv[optind]);
		return usage();
	}
	if (load(&conf, conf_file, command->kafka) == -1)
		return EXIT_CONFIG;
	log_open("turnout-ingest", (enum log_level)conf.log_level);
	stop_install(NULL);
	if (check)
		status = command->run(&conf, 1, argv);
	else
		status = command->run(&conf, argc - optind, argv + optind);
	ingest_conf_free(&conf);
	return status == COMMAND_USAGE ? usage() : status;
}
