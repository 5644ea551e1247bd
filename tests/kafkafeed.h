/* kafkafeed's parts: where lines come from, and the topic they go to. */
#ifndef TURNOUT_KAFKAFEED_H
#define TURNOUT_KAFKAFEED_H

#include <sys/types.h>

#include <signal.h>

#include <librdkafka/rdkafka.h>
#include <zlib.h>

#include "lib/attr.h"

#define FEED_PARTITIONS_MAX 1000

/* A file or a pipe; gz is NULL unless the name ends in ".gz". */
struct feed_input {
	const char *name;
	int fd;
	gzFile gz;
};

int feed_input_open(struct feed_input *, const char *name) MUSTCHECK;
ssize_t feed_input_read(struct feed_input *, char *out, size_t size) MUSTCHECK;
void feed_input_close(struct feed_input *);
const char *feed_find_integer(
    const char *line, size_t len, const char *name, size_t *digits);

int feed_topic_create(rd_kafka_t *, const char *topic, long partitions,
    volatile sig_atomic_t *stopped) MUSTCHECK;

#endif
