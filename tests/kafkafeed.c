/*
 * kafkafeed: sends each line of files, or of standard input, as one record to
 * a Kafka topic, and says where each partition then ends.
 *
 * The key is the message's rsvp_id where the line has one, so that all
 * messages of an RSVP lie in one partition, in order.  The producer is
 * idempotent: a retry neither doubles nor reorders.
 */
#include "config.h"

#include <sys/types.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "tests/kafkafeed.h"

#define READ_SIZE 262144
#define FLUSH_MS 60000

struct options {
	const char *brokers;
	const char *topic;
	long partition;	 /* -1 = by the key, or by chance */
	long create;	 /* partitions to make the topic with; 0 = do not */
	long rate;	 /* messages a second; 0 = as fast as it goes */
	long patience;	 /* s that a message may take to be delivered */
	bool timestamps; /* record timestamp = the message's mtime */
	bool scatter;	 /* to partitions by chance */
};

struct feed {
	const struct options *o;
	rd_kafka_t *rk;
	rd_kafka_topic_t *rkt;
	int64_t
	    next[FEED_PARTITIONS_MAX]; /* next offset; 0 = nothing went there */
	uint64_t sent;
	uint64_t failed;
	int64_t start_us;
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
	fputs("usage: kafkafeed -b BROKERS -t TOPIC [-p PARTITION | --scatter] "
	      "[--rate N]\n"
	      "                 [--timestamps mtime] [--create N] "
	      "[--patience S] [FILE...]\n"
	      "Sends each line of the files (.gz too, - = standard input) as "
	      "one record, keyed\n"
	      "by rsvp_id where the line has one; prints \"PARTITION p "
	      "NEXT_OFFSET n\".\n"
	      "  -b, --brokers LIST      HOST:PORT,...\n"
	      "  -t, --topic TOPIC\n"
	      "  -p, --partition N       all to this one\n"
	      "  -r, --rate N            messages a second\n"
	      "      --scatter           each to a partition by chance, not by "
	      "the key\n"
	      "      --timestamps mtime  record timestamp = the message's "
	      "mtime\n"
	      "      --create N          first make the topic with N "
	      "partitions\n"
	      "      --patience S        how long the brokers may be away, "
	      "s (30)\n",
	    out);
}

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque)
{
	struct feed *f = opaque;

	(void)rk;
	if (rkm->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		if (f->failed++ == 0)
			fprintf(stderr, "kafkafeed: not delivered: %s\n",
			    rd_kafka_err2str(rkm->err));
		return;
	}
	if (rkm->partition >= 0 && rkm->partition < FEED_PARTITIONS_MAX &&
	    rkm->offset + 1 > f->next[rkm->partition])
		f->next[rkm->partition] = rkm->offset + 1;
}

/* The mtime of a line for a record timestamp; 0 (= now) when it has none. */
static int64_t
line_mtime(const char *line, size_t len)
{
	char text[24];
	const char *at;
	size_t digits;
	long value;

	at = feed_find_integer(line, len, "\"mtime\"", &digits);
	if (at == NULL || digits >= sizeof(text))
		return 0;
	memcpy(text, at, digits);
	text[digits] = '\0';
	if (conf_number(&value, text, 0, INT64_MAX) == -1)
		return 0;
	return value;
}

/* Sleeps until message number f->sent is due. */
static void
pace(struct feed *f)
{
	struct timespec ts;
	int64_t due_us, left_us;

	if (f->o->rate == 0)
		return;
	due_us = f->start_us +
	    (int64_t)((double)f->sent * 1e6 / (double)f->o->rate);
	while ((left_us = due_us - clock_mono_us()) > 0 && stopped == 0) {
		rd_kafka_poll(f->rk, 0);
		if (left_us > 100000)
			left_us = 100000;
		ts.tv_sec = 0;
		ts.tv_nsec = (long)left_us * 1000;
		nanosleep(&ts, NULL);
	}
}

/* Queues one record, waiting for room.  Returns 0, or -1 when it cannot be. */
static int
send_line(struct feed *f, const char *line, size_t len)
{
	const char *key;
	size_t key_len = 0;
	int64_t timestamp = 0;
	int32_t partition = RD_KAFKA_PARTITION_UA;
	rd_kafka_resp_err_t err;

	pace(f);
	if (f->o->partition != -1)
		partition = (int32_t)f->o->partition;
	if (f->o->timestamps)
		timestamp = line_mtime(line, len);
	key = feed_find_integer(line, len, "\"rsvp_id\"", &key_len);
	for (;;) {
		err = rd_kafka_producev(f->rk, RD_KAFKA_V_RKT(f->rkt),
		    RD_KAFKA_V_PARTITION(partition),
		    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		    RD_KAFKA_V_KEY(key, key_len),
		    RD_KAFKA_V_VALUE((void *)(uintptr_t)line, len),
		    RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_END);
		if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			break;
		rd_kafka_poll(f->rk, 100);
	}
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		fprintf(stderr, "kafkafeed: cannot send: %s\n",
		    rd_kafka_err2str(err));
		return -1;
	}
	f->sent++;
	if (f->sent % 512 == 0 || f->o->rate != 0)
		rd_kafka_poll(f->rk, 0);
	return 0;
}

/* Sends the whole lines in b and leaves the rest at its beginning. */
static int
send_lines(struct feed *f, struct buf *b)
{
	char *line = b->data;
	char *end = b->data + b->len;
	char *newline;

	while (stopped == 0 && f->failed == 0 &&
	    (newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		if (send_line(f, line, (size_t)(newline - line)) == -1)
			return -1;
		line = newline + 1;
	}
	b->len = (size_t)(end - line);
	memmove(b->data, line, b->len);
	return 0;
}

static int
feed_file(struct feed *f, const char *name)
{
	struct feed_input in;
	struct buf b = { 0 };
	ssize_t n;
	int rc = -1;

	if (feed_input_open(&in, name) == -1)
		return -1;
	while (stopped == 0 && f->failed == 0) {
		buf_reserve(&b, READ_SIZE);
		n = feed_input_read(&in, b.data + b.len, READ_SIZE);
		if (n < 0 && stopped == 0)
			goto out;
		if (n <= 0)
			break;
		b.len += (size_t)n;
		if (send_lines(f, &b) == -1)
			goto out;
	}
	/* A last line without its newline is a message too. */
	if (b.len > 0 && stopped == 0 && f->failed == 0 &&
	    send_line(f, b.data, b.len) == -1)
		goto out;
	rc = 0;
out:
	buf_free(&b);
	feed_input_close(&in);
	return rc;
}

static rd_kafka_t *
producer_open(struct feed *f)
{
	static const char *const settings[][2] = {
		{ "acks", "all" },
		{ "enable.idempotence", "true" },
		{ "batch.num.messages", "10000" },
		{ "batch.size", "900000" },
		{ "queue.buffering.max.messages", "100000" },
		{ "queue.buffering.max.kbytes", "32768" },
		{ "reconnect.backoff.max.ms", "1000" },
		{ "message.max.bytes", "2000000" },
	};
	char why[256], patience[24];
	rd_kafka_conf_t *conf;
	rd_kafka_t *rk;
	size_t i;

	snprintf(patience, sizeof(patience), "%ld", f->o->patience * 1000);
	conf = rd_kafka_conf_new();
	for (i = 0; i < NITEMS(settings); i++) {
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why,
			sizeof(why)) != RD_KAFKA_CONF_OK)
			goto fail;
	}
	if (rd_kafka_conf_set(conf, "bootstrap.servers", f->o->brokers, why,
		sizeof(why)) != RD_KAFKA_CONF_OK ||
	    rd_kafka_conf_set(conf, "partitioner",
		f->o->scatter ? "random" : "murmur2_random", why,
		sizeof(why)) != RD_KAFKA_CONF_OK ||
	    rd_kafka_conf_set(conf, "message.timeout.ms", patience, why,
		sizeof(why)) != RD_KAFKA_CONF_OK ||
	    rd_kafka_conf_set(conf, "linger.ms", f->o->rate == 0 ? "20" : "2",
		why, sizeof(why)) != RD_KAFKA_CONF_OK)
		goto fail;
	rd_kafka_conf_set_opaque(conf, f);
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (rk != NULL)
		return rk;
fail:
	fprintf(stderr, "kafkafeed: %s\n", why);
	rd_kafka_conf_destroy(conf);
	return NULL;
}

static void
report(const struct feed *f)
{
	double seconds = (double)(clock_mono_us() - f->start_us) / 1e6;
	int i;

	for (i = 0; i < FEED_PARTITIONS_MAX; i++) {
		if (f->next[i] > 0)
			printf("PARTITION %d NEXT_OFFSET %lld\n", i,
			    (long long)f->next[i]);
	}
	printf("%llu messages in %.2f s, %.0f/s\n", (unsigned long long)f->sent,
	    seconds, seconds > 0 ? (double)f->sent / seconds : 0.0);
}

static int
run(const struct options *o, char *const *files, int n)
{
	struct feed f;
	int i;

	memset(&f, 0, sizeof(f));
	f.o = o;
	if ((f.rk = producer_open(&f)) == NULL)
		return -1;
	if (o->create > 0 &&
	    feed_topic_create(f.rk, o->topic, o->create, &stopped) == -1)
		return -1;
	if ((f.rkt = rd_kafka_topic_new(f.rk, o->topic, NULL)) == NULL)
		return -1;
	f.start_us = clock_mono_us();
	for (i = 0; i < n && stopped == 0 && f.failed == 0; i++) {
		if (feed_file(&f, files[i]) == -1)
			return -1;
	}
	if (rd_kafka_flush(f.rk, FLUSH_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		fprintf(stderr, "kafkafeed: %d messages were not delivered\n",
		    rd_kafka_outq_len(f.rk));
		return -1;
	}
	if (f.failed > 0) {
		fprintf(stderr, "kafkafeed: %llu messages were not delivered\n",
		    (unsigned long long)f.failed);
		return -1;
	}
	if (n > 0)
		report(&f);
	return 0;
}

/* Reads a number of an option, or ends the process with status 64. */
static long
option_number(const char *name, const char *text, long min, long max)
{
	long value;

	if (conf_number(&value, text, min, max) == 0)
		return value;
	fprintf(stderr,
	    "kafkafeed: %s must be between %ld and %ld, not "
	    "\"%s\"\n",
	    name, min, max, text);
	exit(64);
}

static int
parse_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "brokers", required_argument, NULL, 'b' },
		{ "create", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "partition", required_argument, NULL, 'p' },
		{ "patience", required_argument, NULL, 'w' },
		{ "rate", required_argument, NULL, 'r' },
		{ "scatter", no_argument, NULL, 'x' },
		{ "timestamps", required_argument, NULL, 's' },
		{ "topic", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "b:hp:r:t:", names, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout);
			exit(0);
		} else if (c == 's' && strcmp(optarg, "mtime") == 0)
			o->timestamps = true;
		else if (c == 'x')
			o->scatter = true;
		else if (c == 'b')
			o->brokers = optarg;
		else if (c == 't')
			o->topic = optarg;
		else if (c == 'c')
			o->create = option_number(
			    "--create", optarg, 1, FEED_PARTITIONS_MAX);
		else if (c == 'p')
			o->partition = option_number(
			    "--partition", optarg, 0, FEED_PARTITIONS_MAX - 1);
		else if (c == 'w')
			o->patience = option_number(
			    "--patience", optarg, 1, 86400);
		else if (c == 'r')
			o->rate = option_number(
			    "--rate", optarg, 1, 1000000000);
		else
			return -1;
	}
	return o->brokers == NULL || o->topic == NULL ? -1 : 0;
}

int
main(int argc, char **argv)
{
	static char *const only_stdin[] = { (char *)(uintptr_t) "-" };
	struct options o = { .partition = -1, .patience = 30 };
	struct sigaction sa;
	int rc;

	if (parse_options(&o, argc, argv) == -1) {
		usage(stderr);
		return 64;
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = stop;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	if (optind == argc && o.create == 0)
		rc = run(&o, only_stdin, 1);
	else
		rc = run(&o, argv + optind, argc - optind);
	/* rd_kafka_destroy() of librdkafka 2.0.2 may wait for ever for a
	 * broker thread: what was sent is flushed, the rest ends with us. */
	fflush(stdout);
	_exit(rc == 0 ? 0 : 1);
}
