/*
 * mockbroker: librdkafka's mock cluster as a program, for the demo and for
 * quick tests.  It speaks Kafka's protocol on a free port of 127.0.0.1, keeps
 * 5 MiB a partition and forgets everything when it ends.  A test may tell it
 * to fail: lines of a FIFO are commands.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#define PARTITIONS_MAX 1000
#define ERRORS_MAX 1000
#define BROKER 1 /* the id of the only one */

struct options {
	const char *topic;
	long partitions;
	bool watch;
	int commands; /* a descriptor, or -1 */
};

static volatile sig_atomic_t stopped;

static void
stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static void
usage(FILE *out)
{
	fputs(
	    "usage: mockbroker [-w] [-c FIFO] [-p PARTITIONS] [-t TOPIC]\n"
	    "A Kafka broker in memory: prints BROKERS=HOST:PORT and stays "
	    "until SIGTERM.\n"
	    "  -c FIFO   read commands from it, a line each:\n"
	    "              down, up        the broker closes, opens its port\n"
	    "              topic T N       another topic of N partitions\n"
	    "              errors A E N    the next N requests of API key A\n"
	    "                              get the error code E\n"
	    "              left A          prints \"left A N\": N wait\n"
	    "  -p N      partitions of the topic (1)\n"
	    "  -t TOPIC  the topic that is there from the start (rsvps)\n"
	    "  -w        also end when standard input ends: with the parent\n",
	    out);
}

/* One command from the FIFO; one that is none is told on stderr. */
static void
obey(rd_kafka_mock_cluster_t *cluster, const char *line)
{
	char topic[250];
	int api, code, n, i, rc = 0;
	size_t left;

	if (sscanf(line, "topic %249s %d", topic, &n) == 2)
		rd_kafka_mock_topic_create(cluster, topic, n, 1);
	else if (strcmp(line, "down") == 0)
		rd_kafka_mock_broker_set_down(cluster, BROKER);
	else if (strcmp(line, "up") == 0)
		rd_kafka_mock_broker_set_up(cluster, BROKER);
	else if (sscanf(line, "errors %d %d %d", &api, &code, &n) == 3 &&
	    n > 0 && n <= ERRORS_MAX) {
		for (i = 0; i < n && rc == 0; i++)
			rc = rd_kafka_mock_broker_push_request_error_rtts(
			    cluster, BROKER, (int16_t)api, 1, code, 0);
	} else if (sscanf(line, "left %d", &api) == 1 &&
	    rd_kafka_mock_broker_error_stack_cnt(
		cluster, BROKER, (int16_t)api, &left) == 0) {
		printf("left %d %zu\n", api, left);
	} else
		rc = -1;
	if (rc == 0)
		printf("done: %s\n", line);
	else
		fprintf(stderr, "mockbroker: no command: %s\n", line);
	fflush(stdout);
}

/* What can be read now; a line comes in one piece. */
static void
read_commands(int fd, rd_kafka_mock_cluster_t *cluster)
{
	char text[512], *line, *rest = text;
	ssize_t n = read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return;
	text[n] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			obey(cluster, line);
}

/*
 * Returns when a signal, or (with watch) the end of standard input, says so.
 * The signals are blocked but for the wait: no thread of the library gets
 * them, and none comes too early.
 */
static void
wait_for_end(const struct options *o, rd_kafka_mock_cluster_t *cluster,
    const sigset_t *open_set)
{
	struct pollfd in[2] = { { o->watch ? STDIN_FILENO : -1, POLLIN, 0 },
		{ o->commands, POLLIN, 0 } };
	char rest[256];

	while (stopped == 0) {
		if (ppoll(in, 2, NULL, open_set) <= 0)
			continue;
		if (in[1].revents != 0)
			read_commands(o->commands, cluster);
		if (in[0].revents != 0 &&
		    read(STDIN_FILENO, rest, sizeof(rest)) <= 0)
			return;
	}
}

/* Comes back only when it could not start: returns -1 then. */
static int
serve(const struct options *o, const sigset_t *open_set)
{
	char why[256];
	rd_kafka_conf_t *conf;
	rd_kafka_t *rk = NULL;
	rd_kafka_mock_cluster_t *cluster = NULL;
	rd_kafka_resp_err_t err;

	conf = rd_kafka_conf_new();
	/* The handle never connects anywhere: no notice about that. */
	if (rd_kafka_conf_set(conf, "log_level", "4", why, sizeof(why)) !=
		RD_KAFKA_CONF_OK ||
	    (rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why))) ==
		NULL) {
		rd_kafka_conf_destroy(conf);
		fprintf(stderr, "mockbroker: cannot start: %s\n", why);
		goto out;
	}
	if ((cluster = rd_kafka_mock_cluster_new(rk, 1)) == NULL) {
		fputs("mockbroker: cannot make the cluster\n", stderr);
		goto out;
	}
	err = rd_kafka_mock_topic_create(
	    cluster, o->topic, (int)o->partitions, 1);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		fprintf(stderr, "mockbroker: cannot make topic \"%s\": %s\n",
		    o->topic, rd_kafka_err2str(err));
		goto out;
	}
	printf("BROKERS=%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
	if (fflush(stdout) != 0)
		goto out;
	wait_for_end(o, cluster, open_set);
	/* Taking it apart can take a second, and nothing outlives it anyway. */
	_exit(0);
out:
	if (cluster != NULL)
		rd_kafka_mock_cluster_destroy(cluster);
	if (rk != NULL)
		rd_kafka_destroy(rk);
	return -1;
}

/* Fills *o in; returns -1, or the status to end with. */
static int
parse_options(struct options *o, int argc, char **argv)
{
	char *end;
	int c;

	while ((c = getopt(argc, argv, "c:hp:t:w")) != -1) {
		switch (c) {
		case 'c':
			/* Written to as well, so that it never ends. */
			o->commands = open(optarg, O_RDWR | O_CLOEXEC);
			if (o->commands == -1) {
				perror("mockbroker: -c");
				return 1;
			}
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'p':
			errno = 0;
			o->partitions = strtol(optarg, &end, 10);
			if (errno != 0 || *end != '\0' || end == optarg ||
			    o->partitions < 1 ||
			    o->partitions > PARTITIONS_MAX) {
				fprintf(stderr,
				    "mockbroker: -p must be 1 to %d\n",
				    PARTITIONS_MAX);
				return 64;
			}
			break;
		case 't':
			o->topic = optarg;
			break;
		case 'w':
			o->watch = true;
			break;
		default:
			usage(stderr);
			return 64;
		}
	}
	if (optind == argc)
		return -1;
	usage(stderr);
	return 64;
}

int
main(int argc, char **argv)
{
	struct options o = { "rsvps", 1, false, -1 };
	struct sigaction sa;
	sigset_t set, open_set;
	int status;

	if ((status = parse_options(&o, argc, argv)) != -1)
		return status;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = stop;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, &open_set);
	return serve(&o, &open_set) == 0 ? 0 : 1;
}
