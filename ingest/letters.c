/* Which dead letters a command is about; see letters.h. */
#include "config.h"

#include <getopt.h>
#include <stdint.h>
#include <string.h>

#include "ingest/command.h"
#include "ingest/letters.h"
#include "lib/log.h"

enum {
	OPT_REASON = 256,
	OPT_TOPIC,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_LIMIT,
	OPT_ALL,
	OPT_JSON,
	OPT_RAW
};

/* clang-format off */
static const struct option options[] = {
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "topic", required_argument, NULL, OPT_TOPIC },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "until", required_argument, NULL, OPT_UNTIL },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "raw", no_argument, NULL, OPT_RAW },
	{ NULL, 0, NULL, 0 },
};
/* clang-format on */

static int
take_option(struct letters *l, int ch)
{
	switch (ch) {
	case OPT_REASON:
		l->reason = optarg;
		break;
	case OPT_TOPIC:
		l->topic = optarg;
		break;
	case OPT_SINCE:
		l->since = optarg;
		break;
	case OPT_UNTIL:
		l->until = optarg;
		break;
	case OPT_LIMIT:
		if (command_number(optarg, 1, INT32_MAX, &l->limit))
			break;
		log_error("\"%s\" is no number of lines", optarg);
		return -1;
	case OPT_ALL:
		l->all = true;
		break;
	case OPT_JSON:
		l->json = true;
		break;
	case OPT_RAW:
		l->raw = true;
		break;
	default:
		return -1;
	}
	return 0;
}

/*
 * Reads the words after the command's own (argv[0]).  Returns 0, or -1 after
 * a word to the user; *l is to be freed in either case.
 */
int
letters_parse(struct letters *l, int argc, char **argv)
{
	long long id;
	int ch;

	memset(l, 0, sizeof(*l));
	optind = 0; /* glibc: start anew */
	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (take_option(l, ch) == -1)
			return -1;
	for (; optind < argc; optind++) {
		if (!command_number(argv[optind], 1, INT64_MAX, &id)) {
			log_error("\"%s\" is no number of a dead letter",
			    argv[optind]);
			return -1;
		}
		buf_addf(&l->ids, "%c%lld", l->ids.len == 0 ? '{' : ',', id);
	}
	if (l->ids.len > 0)
		buf_addc(&l->ids, '}');
	return 0;
}

bool
letters_filtered(const struct letters *l)
{
	return l->reason != NULL || l->topic != NULL || l->since != NULL ||
	    l->until != NULL;
}

/* Did the user say which?  Nothing is changed by leaving out a word. */
bool
letters_chosen(const struct letters *l)
{
	return l->all || l->ids.len > 0 || letters_filtered(l);
}

/* The parameters of LETTERS_WHERE, borrowed. */
void
letters_values(const struct letters *l, const char *values[LETTERS_VALUES])
{
	values[0] = l->reason;
	values[1] = l->topic;
	values[2] = l->since;
	values[3] = l->until;
	values[4] = l->ids.len == 0 ? NULL : buf_str(&l->ids);
}

/*
 * Has times without a zone mean UTC, and lets PostgreSQL judge those of the
 * user; what is wrong is told.
 */
enum letters_times
letters_check_times(const struct letters *l, struct db *db, int timeout_ms)
{
	const char *values[] = { l->since, l->until };
	struct db_params params = { .n = 2, .values = values };
	PGresult *res;

	if (db_exec(db, "SET TIME ZONE 'UTC'", timeout_ms) == 0 &&
	    (res = db_query(db, "SELECT $1::timestamptz, $2::timestamptz",
		 &params, timeout_ms)) != NULL) {
		PQclear(res);
		return LETTERS_TIMES_GOOD;
	}
	log_error("%s", db_errstr(db));
	return db_fault(db) == DB_FAULT_RECORD ? LETTERS_TIMES_WRONG
					       : LETTERS_TIMES_FAULT;
}

void
letters_free(struct letters *l)
{
	buf_free(&l->ids);
	memset(l, 0, sizeof(*l));
}
