/*
 * mockbroker: librdkafka's mock cluster as a program, for the demo and for
 * quick tests.  It speaks Kafka's protocol on a free port of 127.0.0.1, keeps
 * 5 MiB a partition and forgets everything when it ends.
 */
#include "config.h"

#include <errno.h>
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
	    "usage: mockbroker [-w] [-p PARTITIONS] [-t TOPIC]\n"
	    "A Kafka broker in memory: prints BROKERS=HOST:PORT and stays "
	    "until SIGTERM.\n"
	    "  -p N      partitions of the topic (1)\n"
	    "  -t TOPIC  the topic that is there from the start (rsvps)\n"
	    "  -w        also end when standard input ends: with the parent\n",
	    out);
}

/*
 * Returns when a signal, or (with watch) the end of standard input, says so.
 * The signals are blocked but for the wait: no thread of the library gets
 * them, and none comes too early.
 */
static void
wait_for_end(bool watch, const sigset_t *open)
{
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };
	char rest[256];

	while (stopped == 0) {
		if (ppoll(&in, watch ? 1 : 0, NULL, open) <= 0)
			continue;
		if (read(STDIN_FILENO, rest, sizeof(rest)) <= 0)
			return;
	}
}

/* Comes back only when it could not start: returns -1 then. */
static int
serve(const char *topic, int partitions, bool watch, const sigset_t *open)
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
	err = rd_kafka_mock_topic_create(cluster, topic, partitions, 1);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		fprintf(stderr, "mockbroker: cannot make topic \"%s\": %s\n",
		    topic, rd_kafka_err2str(err));
		goto out;
	}
	printf("BROKERS=%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
	if (fflush(stdout) != 0)
		goto out;
	wait_for_end(watch, open);
	/* Taking it apart can take a second, and nothing outlives it anyway. */
	_exit(0);
out:
	if (cluster != NULL)
		rd_kafka_mock_cluster_destroy(cluster);
	if (rk != NULL)
		rd_kafka_destroy(rk);
	return -1;
}

int
main(int argc, char **argv)
{
	struct sigaction sa;
	sigset_t set, open;
	const char *topic = "rsvps";
	bool watch = false;
	long partitions = 1;
	char *end;
	int c;

	while ((c = getopt(argc, argv, "hp:t:w")) != -1) {
		switch (c) {
		case 'h':
			usage(stdout);
			return 0;
		case 'p':
			errno = 0;
			partitions = strtol(optarg, &end, 10);
			if (errno != 0 || *end != '\0' || end == optarg ||
			    partitions < 1 || partitions > PARTITIONS_MAX) {
				fprintf(stderr,
				    "mockbroker: -p must be 1 to %d\n",
				    PARTITIONS_MAX);
				return 64;
			}
			break;
		case 't':
			topic = optarg;
			break;
		case 'w':
			watch = true;
			break;
		default:
			usage(stderr);
			return 64;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return 64;
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = stop;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, &open);
	return serve(topic, (int)partitions, watch, &open) == 0 ? 0 : 1;
}
