/* turnout-ingest: keeps PostgreSQL true to a Kafka topic of RSVPs. */
#include "config.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ingest/consumer.h"
#include "ingest/ingest_conf.h"
#include "ingest/run.h"
#include "lib/log.h"
#include "lib/stop.h"

#define EXIT_USAGE 64  /* sysexits.h: EX_USAGE */
#define EXIT_CONFIG 78 /* EX_CONFIG */

static const char usage_text[] =
    "usage: turnout-ingest [-c FILE] run\n"
    "       turnout-ingest [-c FILE] import [-q] FILE...\n"
    "       turnout-ingest [-c FILE] check-config\n"
    "       turnout-ingest -h | -V\n"
    "\n"
    "  run            read RSVP messages from Kafka until SIGTERM\n"
    "  import         read them from files, a JSON object a line, plain or\n"
    "                 .gz; - is standard input; -q: no progress\n"
    "  check-config   say whether the configuration is right\n"
    "\n"
    "  -c FILE        the configuration (" SYSCONFDIR
    "/turnout/turnout-ingest.conf)\n"
    "  -n             the same as check-config\n"
    "  -h, -V         this text; the version\n"
    "\n"
    "turnout-ingest(8) has the rest.\n";

/* A closed descriptor 0, 1 or 2 would become a socket that is printed to. */
static void
open_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

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
			return usage();
		quiet = true;
	}
	if (optind == argc)
		return usage();
	return import_files(conf, argv + optind, argc - optind, quiet);
}

int
main(int argc, char **argv)
{
	const char *path = NULL, *command;
	struct ingest_conf conf;
	struct buf why = { 0 };
	bool check = false;
	int ch, status;

	/* Options. */
	open_standard();
	log_open("turnout-ingest", LOG_LEVEL_INFO);
	while ((ch = getopt(argc, argv, "+c:hnV")) != -1) {
		switch (ch) {
		case 'c':
			path = optarg;
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
	command = optind < argc ? argv[optind] : check ? "check-config" : "";
	if (strcmp(command, "run") != 0 && strcmp(command, "import") != 0 &&
	    strcmp(command, "check-config") != 0)
		return usage();
	if (strcmp(command, "import") != 0 && optind + 1 < argc)
		return usage();

	/* Configuration. */
	if (ingest_conf_load(&conf, path, &why) == -1) {
		log_error("%s", buf_str(&why));
		buf_free(&why);
		return EXIT_CONFIG;
	}
	if (consumer_check(&conf, &why) == -1) {
		log_error("%s: %s",
		    path == NULL ? "the default configuration" : path,
		    buf_str(&why));
		buf_free(&why);
		ingest_conf_free(&conf);
		return EXIT_CONFIG;
	}
	buf_free(&why);
	if (check || strcmp(command, "check-config") == 0) {
		puts("configuration OK");
		ingest_conf_free(&conf);
		return 0;
	}

	/* Log, signals, work. */
	log_open("turnout-ingest", (enum log_level)conf.log_level);
	stop_install(NULL);
	if (strcmp(command, "import") == 0)
		status = import_command(&conf, argc - optind, argv + optind);
	else
		status = run_daemon(&conf);
	ingest_conf_free(&conf);
	return status;
}
