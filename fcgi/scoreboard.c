/* The board in shared memory; see scoreboard.h. */
#include "config.h"

#include <sys/mman.h>

#include <stdatomic.h>

#include "fcgi/scoreboard.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metrics.h"

#define P "turnout_fcgi_"

/* clang-format off */
#define TOOK P "request_duration_seconds"
static const struct metric table[SCORES] = {
	[SCORE_REQUESTS_2XX] = { P "requests_total", "code=\"2xx\"", METRIC_COUNTER, 0, "Requests answered, by status." },
	[SCORE_REQUESTS_304] = { P "requests_total", "code=\"304\"", METRIC_COUNTER, 0, "Requests answered, by status." },
	[SCORE_REQUESTS_4XX] = { P "requests_total", "code=\"4xx\"", METRIC_COUNTER, 0, "Requests answered, by status." },
	[SCORE_REQUESTS_5XX] = { P "requests_total", "code=\"5xx\"", METRIC_COUNTER, 0, "Requests answered, by status." },
	[SCORE_ABORTED] = { P "requests_aborted_total", NULL, METRIC_COUNTER, 0, "Requests whose client was gone before the answer." },
	[SCORE_STALE_SERVED] = { P "stale_served_total", NULL, METRIC_COUNTER, 0, "Answers marked stale because PostgreSQL did not answer, or not in time." },
	[SCORE_CACHE_FRESH] = { P "cache_total", "result=\"fresh\"", METRIC_COUNTER, 0, "Looks into the Redis ring, by what was found." },
	[SCORE_CACHE_STALE] = { P "cache_total", "result=\"stale\"", METRIC_COUNTER, 0, "Looks into the Redis ring, by what was found." },
	[SCORE_CACHE_REFILL] = { P "cache_total", "result=\"refill\"", METRIC_COUNTER, 0, "Looks into the Redis ring, by what was found." },
	[SCORE_CACHE_MISS] = { P "cache_total", "result=\"miss\"", METRIC_COUNTER, 0, "Looks into the Redis ring, by what was found." },
	[SCORE_CACHE_BAD] = { P "cache_bad_total", NULL, METRIC_COUNTER, 0, "Values in Redis that were not taken: cut, old, of another key or version." },
	[SCORE_REDIS_ERRORS] = { P "redis_errors_total", NULL, METRIC_COUNTER, 0, "Faults of Redis nodes." },
	[SCORE_DB_QUERIES] = { P "db_queries_total", NULL, METRIC_COUNTER, 0, "Answers asked from PostgreSQL." },
	[SCORE_DB_ERRORS] = { P "db_errors_total", NULL, METRIC_COUNTER, 0, "Of these, the ones that failed." },
	[SCORE_TOOK_1MS] = { TOOK "_bucket", "le=\"0.001\"", METRIC_HISTOGRAM, 0, "Time from a request to its answer." },
	[SCORE_TOOK_5MS] = { TOOK "_bucket", "le=\"0.005\"", METRIC_HISTOGRAM, 0, "Time from a request to its answer." },
	[SCORE_TOOK_20MS] = { TOOK "_bucket", "le=\"0.02\"", METRIC_HISTOGRAM, 0, "Time from a request to its answer." },
	[SCORE_TOOK_100MS] = { TOOK "_bucket", "le=\"0.1\"", METRIC_HISTOGRAM, 0, "Time from a request to its answer." },
	[SCORE_TOOK_1S] = { TOOK "_bucket", "le=\"1\"", METRIC_HISTOGRAM, 0, "Time from a request to its answer." },
	[SCORE_TOOK_MORE] = { TOOK "_bucket", "le=\"+Inf\"", METRIC_HISTOGRAM, 0, "Time from a request to its answer." },
	[SCORE_TOOK_US] = { TOOK "_sum", NULL, METRIC_HISTOGRAM, 1000000, "Time from a request to its answer." },
	[SCORE_TOOK_COUNT] = { TOOK "_count", NULL, METRIC_HISTOGRAM, 0, "Time from a request to its answer." },
	[SCORE_STARTED] = { P "workers_started_total", NULL, METRIC_COUNTER, 0, "Workers started." },
	[SCORE_DIED] = { P "workers_died_total", NULL, METRIC_COUNTER, 0, "Workers that ended on a signal or an error." },
	[SCORE_KILLED] = { P "workers_killed_total", NULL, METRIC_COUNTER, 0, "Workers killed because a request took too long." },
	[SCORE_WORKERS_IDLE] = { P "workers", "state=\"idle\"", METRIC_GAUGE, 0, "Workers, by what they do." },
	[SCORE_WORKERS_BUSY] = { P "workers", "state=\"busy\"", METRIC_GAUGE, 0, "Workers, by what they do." },
	[SCORE_BUILD] = { P "build_info", "version=\"" PACKAGE_VERSION "\"", METRIC_GAUGE, 0, "1, with the version." },
};
/* clang-format on */

static const int64_t bucket_us[] = { 1000, 5000, 20000, 100000, 1000000 };

struct slot {
	_Atomic int64_t values[SCORES];
	_Atomic int64_t busy_since_ms; /* monotonic; 0 = idle, -1 = nobody */
	/* Until when it leaves each Redis node alone; 0 = it does not. */
	_Atomic int64_t node_open_ms[SCORE_NODES_MAX];
};

/* A question that PostgreSQL gave up. */
struct slow {
	_Atomic uint64_t question;
	_Atomic int64_t until_ms; /* monotonic */
};

#define SLOW_SLOTS 256 /* one that falls on another's is asked again */
#define SLOW_MS 5000

struct board {
	/* What the workers know of PostgreSQL, each from all: when it last
	 * answered one, and failed one (monotonic ms; 0 = not yet). */
	_Atomic int64_t db_worked_ms, db_failed_ms;
	_Atomic int64_t db_probed_ms; /* when one was last sent to look */
	struct slow slow[SLOW_SLOTS];
	atomic_bool ends; /* nobody can connect to the pool any more */
	struct slot slots[];
};

static struct board *board;
static struct slot *slots; /* of the board; NULL = there is none */
static int nslots;
static int nworkers; /* of these, the first; the rest are not counted */
static int mine;     /* this process's slot */
static const char *node_names[SCORE_NODES_MAX]; /* borrowed */

/*
 * Makes the board; called once, before the first fork.  The slots of the
 * workers come first; the ones apart, of those who answer operators only, are
 * not told among the workers.
 */
void
scoreboard_open(int workers, int apart)
{
	int i, n = workers + apart;

	board = mmap(NULL, sizeof(*board) + (size_t)n * sizeof(*slots),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		die(1, "could not map %d slots of shared memory", n);
	slots = board->slots;
	nslots = n;
	nworkers = workers;
	for (i = 0; i < n; i++)
		score_forget(i);
}

/*
 * PostgreSQL gave this question up (a hash of its cache key): for some seconds
 * no worker asks it again.  Each try costs a worker, and the database, as long
 * as a question may take.
 */
void
score_slow(uint64_t question)
{
	struct slow *s = &board->slow[question % SLOW_SLOTS];

	atomic_store(&s->until_ms, 0);
	atomic_store(&s->question, question);
	atomic_store(&s->until_ms, clock_mono_ms() + SLOW_MS);
}

bool
score_is_slow(uint64_t question)
{
	struct slow *s = &board->slow[question % SLOW_SLOTS];

	return atomic_load(&s->until_ms) > clock_mono_ms() &&
	    atomic_load(&s->question) == question;
}

/* Tells the workers that nobody can connect to the pool any more. */
void
scoreboard_end(void)
{
	atomic_store(&board->ends, true);
}

bool
scoreboard_ends(void)
{
	return board != NULL && atomic_load(&board->ends);
}

/* This process counts in that slot from now on. */
void
score_slot(int slot)
{
	int i;

	mine = slot;
	for (i = 0; i < SCORE_NODES_MAX; i++)
		score_node(i, 0);
	score_state(SLOT_IDLE);
}

void
score_add(enum score s, int64_t n)
{
	if (slots != NULL)
		atomic_fetch_add(&slots[mine].values[s], n);
}

/* Counts one request that took so long. */
void
score_took(int64_t us)
{
	int i = 0;

	while (i < 5 && us > bucket_us[i])
		i++;
	score_add((enum score)((int)SCORE_TOOK_1MS + i), 1);
	score_add(SCORE_TOOK_US, us);
	score_add(SCORE_TOOK_COUNT, 1);
}

void
score_state(enum slot_state state)
{
	if (slots != NULL)
		atomic_store(&slots[mine].busy_since_ms,
		    state == SLOT_BUSY ? clock_mono_ms() : 0);
}

/* Since when the slot's worker is busy (monotonic ms); 0 = it is not. */
int64_t
score_busy_since(int slot)
{
	int64_t since = atomic_load(&slots[slot].busy_since_ms);

	return since < 0 ? 0 : since;
}

/* PostgreSQL has answered this worker just now, or has not. */
void
score_db(bool worked)
{
	atomic_store(worked ? &board->db_worked_ms : &board->db_failed_ms,
	    clock_mono_ms());
}

/* How long ago PostgreSQL failed a worker and has answered none since, in
 * ms, at least 1; 0 = it is there. */
int64_t
score_db_away(void)
{
	int64_t failed = atomic_load(&board->db_failed_ms), ago;

	if (failed == 0 || atomic_load(&board->db_worked_ms) > failed)
		return 0;
	ago = clock_mono_ms() - failed;
	return ago < 1 ? 1 : ago;
}

/* May this worker look whether PostgreSQL is back?  One of all may, so often:
 * a server that is silent would hold every one of them up. */
bool
score_db_probe(int64_t every_ms)
{
	int64_t now = clock_mono_ms();
	int64_t last = atomic_load(&board->db_probed_ms);

	return score_db_away() >= every_ms && now - last >= every_ms &&
	    atomic_compare_exchange_strong(&board->db_probed_ms, &last, now);
}

/* Has the slot a worker that is ready for requests? */
bool
score_up(int slot)
{
	return atomic_load(&slots[slot].busy_since_ms) >= 0;
}

/* The slot has no worker now. */
void
score_forget(int slot)
{
	atomic_store(&slots[slot].busy_since_ms, -1);
}

/* Names a Redis node; the name is borrowed for good. */
void
score_node_name(int node, const char *name)
{
	if (node < SCORE_NODES_MAX)
		node_names[node] = name;
}

/* This worker leaves a Redis node alone until then (monotonic ms); 0: it
 * does not. */
void
score_node(int node, int64_t open_until_ms)
{
	if (slots != NULL && node < SCORE_NODES_MAX)
		atomic_store(&slots[mine].node_open_ms[node], open_until_ms);
}

/* The name of a Redis node, and how many workers leave it alone now; NULL:
 * there is no such node. */
const char *
scoreboard_node(int node, int *open)
{
	const int64_t now = clock_mono_ms();
	int i;

	*open = 0;
	if (node >= SCORE_NODES_MAX || node_names[node] == NULL)
		return NULL;
	for (i = 0; i < nslots; i++)
		if (atomic_load(&slots[i].busy_since_ms) >= 0 &&
		    atomic_load(&slots[i].node_open_ms[node]) > now)
			(*open)++;
	return node_names[node];
}

/* How long the request takes that has taken longest by now; 0 = there is
 * none in hand. */
int64_t
scoreboard_longest_ms(void)
{
	const int64_t now = clock_mono_ms();
	int64_t since, longest = 0;
	int i;

	for (i = 0; i < nworkers; i++) {
		since = score_busy_since(i);
		if (since > 0 && now - since > longest)
			longest = now - since;
	}
	return longest;
}

/* Sums what was counted over the pool; the buckets of the duration add up. */
void
scoreboard_sum(int64_t out[SCORES])
{
	int64_t since;
	int i, s;

	for (s = 0; s < SCORES; s++)
		out[s] = 0;
	for (i = 0; i < nslots; i++) {
		for (s = 0; s < SCORES; s++)
			out[s] += atomic_load(&slots[i].values[s]);
		since = atomic_load(&slots[i].busy_since_ms);
		if (since >= 0 && i < nworkers)
			out[since > 0 ? SCORE_WORKERS_BUSY
				      : SCORE_WORKERS_IDLE]++;
	}
	for (s = SCORE_TOOK_5MS; s <= SCORE_TOOK_MORE; s++)
		out[s] += out[s - 1];
	out[SCORE_BUILD] = 1;
}

/* Adds Prometheus' text, summed over the pool. */
void
scoreboard_render(struct buf *b)
{
	int64_t now[SCORES];

	scoreboard_sum(now);
	metrics_render(b, table, now, SCORES);
}

/* Adds the same on one line, zeros left out. */
void
scoreboard_stats_line(struct buf *b)
{
	int64_t now[SCORES];

	scoreboard_sum(now);
	metrics_stats_line(b, table, now, SCORES);
}
