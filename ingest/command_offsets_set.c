/*
 * turnout-ingest offsets set: moves a partition by compare-and-swap, and
 * keeps who did it and why in the same transaction.  The fingerprint and the
 * cluster go, so that the daemon takes the new place as it is.
 */
#include "config.h"

#include <getopt.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ingest/command.h"
#include "ingest/command_offsets.h"
#include "ingest/consumer.h"
#include "ingest/ingest_conf.h"
#include "lib/log.h"

#define EXIT_UNAVAILABLE 69 /* EX_UNAVAILABLE */

enum {
	OPT_PARTITION = 256,
	OPT_TO,
	OPT_EXPECT,
	OPT_REASON,
	OPT_TOPIC,
	OPT_JSON
};

/* clang-format off */
static const struct option options[] = {
	{ "partition", required_argument, NULL, OPT_PARTITION },
	{ "to", required_argument, NULL, OPT_TO },
	{ "expect", required_argument, NULL, OPT_EXPECT },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "topic", required_argument, NULL, OPT_TOPIC },
	{ "json", no_argument, NULL, OPT_JSON },
	{ NULL, 0, NULL, 0 },
};

/* $1 topic, $2 partition, $3 to, $4 expect */
static const char Q_MOVE[] =
    "UPDATE turnout.ingest_offsets SET next_offset = $3::bigint,"
    " stopped_why = NULL,"
    " cluster_id = NULL, last_offset = NULL, last_ts = NULL, last_crc = NULL,"
    " high_watermark = NULL, checked_at = NULL"
    " WHERE topic = $1 AND part = $2::integer AND next_offset = $4::bigint";
static const char Q_CREATE[] =
    "INSERT INTO turnout.ingest_offsets (topic, part, next_offset)"
    " SELECT $1, $2::integer, $3::bigint WHERE $4::bigint IS NULL"
    " ON CONFLICT DO NOTHING";
static const char Q_NOW[] =
    "SELECT next_offset FROM turnout.ingest_offsets"
    " WHERE topic = $1 AND part = $2::integer";
/* ... $5 reason, $6 login */
static const char Q_KEEP[] =
    "INSERT INTO turnout.offset_changes"
    " (topic, part, old_offset, new_offset, reason, login)"
    " VALUES ($1, $2::integer, $4::bigint, $3::bigint, $5, $6)"
    " RETURNING change_id";
static const char Q_SHOW[] =
    "SELECT change_id, to_char(changed_at AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS changed_at, changed_by, login,"
    " topic, part, old_offset, new_offset, reason"
    " FROM turnout.offset_changes WHERE change_id = $1";
/* clang-format on */

struct change {
	const char *topic, *to, *reason;
	const char *expect; /* NULL = there is no row */
	char part_text[16], to_text[24];
	long long part;
	bool json, has_part, has_expect;
	bool hung; /* leave by _exit() */
};

static int
take_option(struct change *ch, int option)
{
	long long n;

	switch (option) {
	case OPT_PARTITION:
		ch->has_part = command_number(optarg, 0, INT32_MAX, &ch->part);
		return ch->has_part ? 0 : -1;
	case OPT_TO:
		ch->to = optarg;
		return strcmp(optarg, "low") == 0 ||
			strcmp(optarg, "high") == 0 ||
			command_number(optarg, 0, INT64_MAX, &n)
		    ? 0
		    : -1;
	case OPT_EXPECT:
		ch->has_expect = true;
		ch->expect = strcmp(optarg, "none") == 0 ? NULL : optarg;
		return ch->expect == NULL ||
			command_number(optarg, 0, INT64_MAX, &n)
		    ? 0
		    : -1;
	case OPT_REASON:
		ch->reason = optarg;
		return optarg[0] == '\0' ? -1 : 0;
	case OPT_TOPIC:
		ch->topic = optarg;
		return 0;
	case OPT_JSON:
		ch->json = true;
		return 0;
	default:
		return -1;
	}
}

/* "low" and "high" become what the brokers have now; an exit status. */
static int
ask_brokers(const struct ingest_conf *conf, struct change *ch)
{
	bool low = strcmp(ch->to, "low") == 0;
	struct ingest_conf mine = *conf;
	const struct asked *asked;
	struct answer answer;
	int status = EXIT_UNAVAILABLE;

	if (!low && strcmp(ch->to, "high") != 0)
		return 0;
	mine.kafka_topic = (char *)(uintptr_t)ch->topic;
	consumer_ask(&mine, NULL, 0, &answer);
	asked = ch->part < answer.nparts ? &answer.parts[ch->part] : NULL;
	if (asked != NULL && asked->known) {
		snprintf(ch->to_text, sizeof(ch->to_text), "%lld",
		    (long long)(low ? asked->low : asked->high));
		ch->to = ch->to_text;
		status = 0;
	} else if (answer.nparts > 0 && asked == NULL) {
		log_error("the topic has no such partition; nothing was "
			  "changed");
		status = 1;
	} else {
		log_error("%s; nothing was changed",
		    answer.why[0] == '\0' ? "Kafka did not answer"
					  : answer.why);
	}
	ch->hung = answer.hung;
	if (!ch->hung)
		consumer_ask_free(&answer);
	return status;
}

static const char *
login_name(char *room, size_t size)
{
	const struct passwd *pw;

	if (getlogin_r(room, size) == 0)
		return room;
	pw = getpwuid(getuid());
	return pw == NULL ? NULL : pw->pw_name;
}

/* 1 moved, 0 the offset is another one (said), -1 a fault (said). */
static int
move(struct db *db, const struct change *ch, const char *const *values,
    int timeout_ms)
{
	PGresult *res;
	int moved;

	res = command_query(
	    db, ch->expect == NULL ? Q_CREATE : Q_MOVE, 4, values, timeout_ms);
	if (res == NULL)
		return -1;
	moved = strcmp(PQcmdTuples(res), "1") == 0;
	PQclear(res);
	if (moved)
		return 1;
	if ((res = command_query(db, Q_NOW, 2, values, timeout_ms)) == NULL)
		return -1;
	log_error("the offset of %s[%lld] is %s, not %s; nothing was changed",
	    ch->topic, ch->part,
	    PQntuples(res) == 0 ? "none" : PQgetvalue(res, 0, 0),
	    ch->expect == NULL ? "none" : ch->expect);
	PQclear(res);
	return 0;
}

/* The row of the change, to be printed after the commit. */
static PGresult *
keep(struct db *db, const struct change *ch, const char *const *values,
    int timeout_ms)
{
	PGresult *res, *row;
	const char *id;

	if ((res = command_query(db, Q_KEEP, 6, values, timeout_ms)) == NULL)
		return NULL;
	id = PQgetvalue(res, 0, 0);
	row = command_rows(db, Q_SHOW, 1, &id, ch->json, timeout_ms);
	PQclear(res);
	return row;
}

static int
apply(struct db *db, const struct change *ch, int timeout_ms)
{
	char login[256];
	const char *values[] = { ch->topic, ch->part_text, ch->to, ch->expect,
		ch->reason, login_name(login, sizeof(login)) };
	PGresult *row = NULL;
	int status = EXIT_UNAVAILABLE, moved;

	/* What is set is not in Kafka: this commit waits for the disk. */
	if (db_exec(db, "BEGIN", timeout_ms) == -1 ||
	    db_exec(db, "SET LOCAL synchronous_commit = on", timeout_ms) ==
		-1) {
		log_error("PostgreSQL: %s", db_errstr(db));
		goto out;
	}
	if ((moved = move(db, ch, values, timeout_ms)) == 0)
		status = 1;
	if (moved != 1 || (row = keep(db, ch, values, timeout_ms)) == NULL)
		goto out;
	if (db_commit(db, timeout_ms) == -1) {
		log_error(
		    "PostgreSQL: %s; look whether it is set", db_errstr(db));
		goto out;
	}
	command_print(row, ch->json);
	status = 0;
out:
	PQclear(row);
	return status;
}

/* Returns the exit status, or COMMAND_USAGE. */
int
offsets_set_command(const struct ingest_conf *conf, int argc, char **argv)
{
	struct change change = { .topic = conf->kafka_topic };
	struct db *db;
	int option, status;

	optind = 0; /* glibc: start anew */
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (take_option(&change, option) == -1)
			return COMMAND_USAGE;
	if (optind < argc || !change.has_part || !change.has_expect ||
	    change.to == NULL || change.reason == NULL)
		return COMMAND_USAGE;
	snprintf(
	    change.part_text, sizeof(change.part_text), "%lld", change.part);
	if ((status = ask_brokers(conf, &change)) == 0) {
		status = EXIT_UNAVAILABLE;
		if ((db = command_open(conf)) != NULL)
			status = apply(db, &change, (int)conf->pg_timeout_ms);
		db_close(db);
	}
	if (change.hung)
		_exit(status); /* command_print() has flushed */
	return status;
}
