/* turnout-fcgi: answers from PostgreSQL and Redis, behind nginx. */
#include "config.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/fcgi_conf.h"
#include "fcgi/pool.h"
#include "fcgi/worker.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/standard.h"

#define EXIT_USAGE 64  /* sysexits.h: EX_USAGE */
#define EXIT_CONFIG 78 /* EX_CONFIG */

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
    "usage: turnout-fcgi [-c FILE] [-n]\n"
    "       turnout-fcgi -h | -V\n"
    "\n"
    "  -c FILE  the configuration (" SYSCONFDIR "/turnout/turnout-fcgi.conf)\n"
    "  -n       say whether the configuration is right, and end\n"
    "  -h, -V   this text; the version\n"
    "\n"
    "Started by a web server as plain CGI it answers one request. A listening\n"
    "socket on descriptor 0 is used instead of fcgi.listen. SIGTERM stops\n"
    "after the requests in hand, a second one at once; SIGHUP reads the\n"
    "configuration again. turnout-fcgi(8) has the rest.\n";

/*
 * A web server turns a query without "=" into a CGI's arguments, and a client
 * must not choose our options.
 */
static bool
has_foreign_arguments(void)
{
	const char *query = getenv("QUERY_STRING");

	return query != NULL && query[0] != '\0' && strchr(query, '=') == NULL;
}

int
main(int argc, char **argv)
{
	bool check = false, cgi;
	const char *path = NULL;
	struct pool_sockets sockets;
	struct fcgi_conf conf;
	struct buf why = { 0 };
	int ch, status;

	/* Options. */
	standard_open();
	log_open("turnout-fcgi", LOG_LEVEL_INFO);
	cgi = getenv("GATEWAY_INTERFACE") != NULL && !pool_handed_over();
	if (cgi && has_foreign_arguments())
		argc = 1;
	while ((ch = getopt_long(argc, argv, "c:hnV", options, NULL)) != -1) {
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
			puts("turnout-fcgi " PACKAGE_VERSION);
			return 0;
		default:
			fputs(usage_text, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc) {
		log_error("no argument is taken, as \"%s\"", argv[optind]);
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}

	/* Configuration. */
	if (fcgi_conf_load(&conf, path, &why) == -1) {
		log_error("%s", buf_str(&why));
		buf_free(&why);
		return EXIT_CONFIG;
	}
	if (check) {
		conf_say_ok(conf_path(path, FCGI_CONF_PATH), FCGI_CONF_PATH);
		fcgi_conf_free(&conf);
		return 0;
	}
	log_open("turnout-fcgi", (enum log_level)conf.log_level);

	/* One request, or sockets and a pool. */
	if (cgi)
		status = worker_cgi(&conf);
	else if (pool_listen(&conf, &sockets, &why) == -1) {
		log_error("%s", buf_str(&why));
		status = 1;
	} else
		status = pool_run(&conf, path, &sockets);
	buf_free(&why);
	fcgi_conf_free(&conf);
	return status;
}
