/* Makes the topic that kafkafeed sends to. */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "lib/clock.h"
#include "tests/kafkafeed.h"

#define CREATE_MS 30000

/* Whether the topic has n partitions that all have a leader. */
static bool
topic_is_there(rd_kafka_t *rk, const char *topic, long n)
{
	const struct rd_kafka_metadata *all = NULL;
	rd_kafka_topic_t *rkt;
	bool there = false;
	int i;

	rkt = rd_kafka_topic_new(rk, topic, NULL);
	if (rd_kafka_metadata(rk, 0, rkt, &all, 5000) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		goto out;
	if (all->topic_cnt != 1 || all->topics[0].partition_cnt < n)
		goto out;
	for (i = 0; i < all->topics[0].partition_cnt; i++) {
		if (all->topics[0].partitions[i].leader == -1)
			goto out;
	}
	there = true;
out:
	if (all != NULL)
		rd_kafka_metadata_destroy(all);
	rd_kafka_topic_destroy(rkt);
	return there;
}

/* Asks the broker once to make the topic; an existing one is as good. */
static int
ask_for_topic(
    rd_kafka_t *rk, rd_kafka_queue_t *queue, rd_kafka_NewTopic_t *topic)
{
	const rd_kafka_CreateTopics_result_t *result;
	const rd_kafka_topic_result_t **topics;
	rd_kafka_event_t *event;
	rd_kafka_resp_err_t err;
	size_t n;

	rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
	if ((event = rd_kafka_queue_poll(queue, CREATE_MS)) == NULL)
		return -1;
	err = rd_kafka_event_error(event);
	result = rd_kafka_event_CreateTopics_result(event);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR && result != NULL) {
		topics = rd_kafka_CreateTopics_result_topics(result, &n);
		err = rd_kafka_topic_result_error(topics[0]);
	}
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR &&
	    err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
		fprintf(stderr, "kafkafeed: cannot make the topic: %s\n",
		    rd_kafka_err2str(err));
		rd_kafka_event_destroy(event);
		return -1;
	}
	rd_kafka_event_destroy(event);
	return 0;
}

/*
 * Makes the topic, or finds it there, and waits until its partitions have
 * leaders.  Returns 0, or -1 after it said why on stderr.
 */
int
feed_topic_create(
    rd_kafka_t *rk, const char *topic, long n, volatile sig_atomic_t *stopped)
{
	char why[256];
	struct timespec pause = { 0, 50000000 };
	int64_t deadline = clock_mono_ms() + CREATE_MS;
	rd_kafka_NewTopic_t *spec = NULL;
	rd_kafka_queue_t *queue = NULL;
	int rc = -1;

	queue = rd_kafka_queue_new(rk);
	/* -1: as many replicas as the brokers' default.replication.factor. */
	spec = rd_kafka_NewTopic_new(topic, (int)n, -1, why, sizeof(why));
	if (spec == NULL) {
		fprintf(stderr, "kafkafeed: cannot make the topic: %s\n", why);
		goto out;
	}
	if (ask_for_topic(rk, queue, spec) == -1)
		goto out;
	while (!topic_is_there(rk, topic, n)) {
		if (clock_left_ms(deadline) == 0 || *stopped != 0) {
			fputs("kafkafeed: the topic has no leaders\n", stderr);
			goto out;
		}
		nanosleep(&pause, NULL);
	}
	rc = 0;
out:
	if (spec != NULL)
		rd_kafka_NewTopic_destroy(spec);
	rd_kafka_queue_destroy(queue);
	return rc;
}
