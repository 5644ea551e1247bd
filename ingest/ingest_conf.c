/* The configuration of turnout-ingest; see ingest_conf.h. */
#include "config.h"

#include <string.h>

#include "ingest/ingest_conf.h"

static const char *const starts[] = { "earliest", "latest", NULL };
static const char *const levels[] = { "error", "warn", "info", "debug", NULL };

#define AT(field) offsetof(struct ingest_conf, field)

/* clang-format off */
static const struct conf_key keys[] = {
	{ "kafka.brokers", CONF_STRING, AT(kafka_brokers), 0, 0, "localhost:9092", NULL, "Kafka brokers to start from, host:port, separated by commas" },
	{ "kafka.topic", CONF_STRING, AT(kafka_topic), 0, 0, "rsvps", NULL, "topic with the RSVP messages" },
	{ "kafka.group", CONF_STRING, AT(kafka_group), 0, 0, "turnout", NULL, "consumer group that shares the partitions" },
	{ "kafka.start", CONF_CHOICE, AT(kafka_start), 0, 0, "earliest", starts, "where the very first start begins" },
	{ "rdkafka.*", CONF_PAIRS, AT(rdkafka), 0, 0, NULL, NULL, "passed to librdkafka as it is: security.protocol, ssl.ca.location, ..." },
	{ "pg.conninfo", CONF_STRING, AT(pg_conninfo), 0, 0, "dbname=turnout user=turnout_ingest", NULL, "libpq connection string" },
	{ "pg.timeout_ms", CONF_NUMBER, AT(pg_timeout_ms), 100, 600000, "30000", NULL, "longest wait for one statement, ms" },
	{ "batch.max_messages", CONF_NUMBER, AT(batch_max_messages), 1, 50000, "15000", NULL, "most messages in a transaction" },
	{ "batch.max_bytes", CONF_NUMBER, AT(batch_max_bytes), 65536, 268435456, "33554432", NULL, "most bytes of messages in a transaction" },
	{ "batch.max_age_ms", CONF_NUMBER, AT(batch_max_age_ms), 0, 10000, "50", NULL, "longest wait of a message for others, ms" },
	{ "store.members", CONF_BOOL, AT(store_members), 0, 0, "yes", NULL, "no: of a member only the id is kept" },
	{ "metrics.listen", CONF_STRING, AT(metrics_listen), 0, 0, "127.0.0.1:9464", NULL, "address:port for /metrics and /healthz; empty = off" },
	{ "log.level", CONF_CHOICE, AT(log_level), 0, 0, "info", levels, "least important level that is logged" },
};
/* clang-format on */

/* Settings that exactness rests on: nobody may change them. */
static const char *const fixed[] = { "auto.offset.reset", "bootstrap.servers",
	"check.crcs", "enable.auto.commit", "enable.auto.offset.store",
	"group.id", "group.instance.id", "isolation.level",
	"metadata.broker.list", "partition.assignment.strategy" };

static int
check_pairs(const struct ingest_conf *conf, const char *path, struct buf *why)
{
	size_t i, j;

	for (i = 0; i < conf->rdkafka.n; i++) {
		for (j = 0; j < NITEMS(fixed); j++) {
			if (strcmp(conf->rdkafka.names[i], fixed[j]) != 0)
				continue;
			buf_addf(why,
			    "%s: \"rdkafka.%s\" cannot be set: turnout-ingest "
			    "sets it itself",
			    path, fixed[j]);
			return -1;
		}
	}
	return 0;
}

/*
 * Loads the file at path; NULL = the default one, which may be absent.
 * Returns 0, or -1 with the complaint in *why and nothing to be freed.
 */
int
ingest_conf_load(struct ingest_conf *conf, const char *path, struct buf *why)
{
	memset(conf, 0, sizeof(*conf));
	path = conf_path(path, INGEST_CONF_PATH);
	if (conf_load(conf, keys, NITEMS(keys), path, why) == -1)
		return -1;
	if (check_pairs(conf, path == NULL ? "environment" : path, why) == -1) {
		ingest_conf_free(conf);
		return -1;
	}
	return 0;
}

void
ingest_conf_free(struct ingest_conf *conf)
{
	conf_free(conf, keys, NITEMS(keys));
}
