/* The configuration of turnout-ingest: one table, one struct. */
#ifndef TURNOUT_INGEST_CONF_H
#define TURNOUT_INGEST_CONF_H

#include <stdbool.h>

#include "lib/buf.h"
#include "lib/conf.h"

enum kafka_start {
	KAFKA_START_EARLIEST,
	KAFKA_START_LATEST,
};

/* The file that is read where none is named, if it is there. */
#define INGEST_CONF_PATH SYSCONFDIR "/turnout/turnout-ingest.conf"

struct ingest_conf {
	char *kafka_brokers;
	char *kafka_topic;
	char *kafka_group;
	int kafka_start; /* enum kafka_start */
	struct conf_pairs rdkafka;
	char *pg_conninfo;
	long pg_timeout_ms;
	long batch_max_messages;
	long batch_max_bytes;
	long batch_max_age_ms;
	bool store_members;
	char *metrics_listen; /* address:port; "" = off */
	int log_level;	      /* enum log_level */
};

int ingest_conf_load(
    struct ingest_conf *, const char *path, struct buf *why) MUSTCHECK;
void ingest_conf_free(struct ingest_conf *);

#endif
