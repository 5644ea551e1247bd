/*
 * The pool's parent; see pool.h.  It holds the sockets and answers nobody: it
 * starts workers, replaces the dead, ends the stuck, rolls to a new
 * configuration, and stops.  Its signals are blocked and waited for, so there
 * is no handler and no race; children restore the mask.
 */
#include "config.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "fcgi/fcgi_conf.h"
#include "fcgi/pool.h"
#include "fcgi/scoreboard.h"
#include "fcgi/worker.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* Twice the workers (pool.workers' limit, and the operators' one): while the
 * pool rolls, old and new are side by side. */
#define ANSWERS_SLOTS (2 * 256)
#define STATUS_SLOTS 2
#define SLOTS (ANSWERS_SLOTS + STATUS_SLOTS)
#define TICK_MS 250
#define QUICK_DEATH_MS 1000 /* a worker that dies sooner is replaced later */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000
#define GRACE_MS 250 /* on top of the request's limit */
#define STATS_MS 60000

struct worker {
	pid_t pid; /* 0 = none */
	int64_t started_ms;
	bool told; /* SIGTERM was sent */
	bool old;  /* of an earlier configuration */
};

/* Those who answer on one socket: the slots from first to before end. */
struct team {
	int fd;
	int first, end;
	long size; /* how many there should be */
};

enum { TEAM_ANSWERS, TEAM_STATUS, TEAMS };

struct pool {
	struct fcgi_conf *conf;
	const char *path; /* of the configuration; NULL = the default one */
	struct team teams[TEAMS];
	struct worker workers[SLOTS];
	int64_t pause_ms; /* before the next start; 0 = none */
	int64_t start_at_ms;
	int64_t stats_ms;
	int64_t stop_ms; /* when the stop was asked; 0 = not */
	sigset_t old_mask;
};

static void
block_signals(sigset_t *set, sigset_t *old)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGHUP);
	sigprocmask(SIG_BLOCK, set, old);
}

static int
count_running(const struct pool *p)
{
	int i, n = 0;

	for (i = 0; i < SLOTS; i++)
		if (p->workers[i].pid != 0)
			n++;
	return n;
}

/* Those of a team that are to stay. */
static int
count_staying(const struct pool *p, const struct team *t)
{
	int i, n = 0;

	for (i = t->first; i < t->end; i++)
		if (p->workers[i].pid != 0 && !p->workers[i].old &&
		    !p->workers[i].told)
			n++;
	return n;
}

static void
start_worker(struct pool *p, const struct team *t)
{
	pid_t parent = getpid(), pid;
	int slot = t->first;

	while (slot < t->end && p->workers[slot].pid != 0)
		slot++;
	if (slot == t->end)
		return;
	pid = fork();
	if (pid == -1) {
		log_warn("could not fork a worker: %s", strerror(errno));
		p->pause_ms = PAUSE_MAX_MS;
		p->start_at_ms = clock_mono_ms() + p->pause_ms;
		return;
	}
	if (pid == 0) {
		/* A worker without its parent has nobody to end it. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(0);
		sigprocmask(SIG_SETMASK, &p->old_mask, NULL);
		if (t == &p->teams[TEAM_STATUS])
			prctl(PR_SET_NAME, "turnout-status");
		exit(worker_run(p->conf, t->fd, slot));
	}
	memset(&p->workers[slot], 0, sizeof(p->workers[slot]));
	p->workers[slot].pid = pid;
	p->workers[slot].started_ms = clock_mono_ms();
	score_add(SCORE_STARTED, 1);
}

/* Fills the pool up, unless workers die as soon as they start. */
static void
fill(struct pool *p, int64_t now)
{
	const struct team *t;
	long n;

	if (p->stop_ms != 0 || now < p->start_at_ms)
		return;
	for (t = p->teams; t < p->teams + TEAMS; t++)
		for (n = count_staying(p, t); n < t->size; n++)
			start_worker(p, t);
}

/* Makes the next start wait, longer each time; SIGKILL came from elsewhere. */
static void
pause_starts(struct pool *p, int64_t now)
{
	/* Several that die together are one trouble. */
	if (now < p->start_at_ms)
		return;
	if (now - p->start_at_ms > 2 * PAUSE_MAX_MS)
		p->pause_ms = 0;
	p->pause_ms = p->pause_ms == 0 ? PAUSE_MIN_MS : p->pause_ms * 2;
	if (p->pause_ms > PAUSE_MAX_MS)
		p->pause_ms = PAUSE_MAX_MS;
	p->start_at_ms = now + p->pause_ms;
	log_warn("workers die as soon as they start; next one in %lld ms",
	    (long long)p->pause_ms);
}

static void
buried(struct pool *p, struct worker *w, int status, int64_t now)
{
	const char *then = p->stop_ms != 0 || w->told ? ""
						      : "; starting another";
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	bool quick = now - w->started_ms < QUICK_DEATH_MS;

	if (sig != 0 && !(w->told && sig == SIGTERM)) {
		score_add(SCORE_DIED, 1);
		log_warn(
		    "worker %ld ended on signal %d%s", (long)w->pid, sig, then);
	} else if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
		score_add(SCORE_DIED, 1);
		log_warn("worker %ld ended with status %d%s", (long)w->pid,
		    WEXITSTATUS(status), then);
	} else
		quick = false;
	if (quick && sig != SIGKILL && p->stop_ms == 0)
		pause_starts(p, now);
	else if (!quick)
		p->pause_ms = 0;
	score_forget((int)(w - p->workers));
	memset(w, 0, sizeof(*w));
}

static void
bury(struct pool *p)
{
	int64_t now = clock_mono_ms();
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < SLOTS; i++)
			if (p->workers[i].pid == pid)
				buried(p, &p->workers[i], status, now);
}

/* Ends workers whose request takes longer than it may; never an idle one. */
static void
watch(struct pool *p, int64_t now)
{
	int64_t since;
	int i;

	for (i = 0; i < SLOTS; i++) {
		if (p->workers[i].pid == 0)
			continue;
		since = score_busy_since(i);
		if (since == 0 ||
		    now - since < p->conf->request_timeout_ms + GRACE_MS)
			continue;
		log_warn("worker %ld is busy with one request for %lld ms; "
			 "killing it",
		    (long)p->workers[i].pid, (long long)(now - since));
		score_add(SCORE_KILLED, 1);
		kill(p->workers[i].pid, SIGKILL);
	}
}

/* Asks a worker to end after the request in hand. */
static void
tell(struct worker *w)
{
	if (w->pid == 0 || w->told)
		return;
	w->told = true;
	kill(w->pid, SIGTERM);
}

/* An old worker of a team goes for each new one that is up. */
static void
roll(struct pool *p, const struct team *t)
{
	long up = 0, old = 0;
	int i;

	for (i = t->first; i < t->end; i++) {
		if (p->workers[i].pid == 0 || p->workers[i].told)
			continue;
		if (p->workers[i].old)
			old++;
		else if (score_up(i))
			up++;
	}
	for (i = t->first; i < t->end && old > 0 && old + up > t->size; i++) {
		if (!p->workers[i].old || p->workers[i].told)
			continue;
		tell(&p->workers[i]);
		old--;
	}
}

static bool
same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void
exchange(char **a, char **b)
{
	char *c = *a;

	*a = *b;
	*b = c;
}

/* The sockets stay as they were made, whatever the new configuration says. */
static void
keep_sockets(struct fcgi_conf *old, struct fcgi_conf *fresh)
{
	if (!same(fresh->listen, old->listen) ||
	    !same(fresh->status, old->status) ||
	    !same(fresh->mode, old->mode) || !same(fresh->group, old->group) ||
	    fresh->backlog != old->backlog)
		log_warn("fcgi.* has changed: it is kept as it was until a "
			 "restart");
	exchange(&fresh->listen, &old->listen);
	exchange(&fresh->status, &old->status);
	exchange(&fresh->mode, &old->mode);
	exchange(&fresh->group, &old->group);
	fresh->backlog = old->backlog;
}

static void
reload(struct pool *p)
{
	struct fcgi_conf fresh;
	struct buf why = { 0 };
	int i;

	if (fcgi_conf_load(&fresh, p->path, &why) == -1) {
		log_error("%s; keeping the old configuration", buf_str(&why));
		buf_free(&why);
		return;
	}
	buf_free(&why);
	keep_sockets(p->conf, &fresh);
	fcgi_conf_free(p->conf);
	*p->conf = fresh;
	p->teams[TEAM_ANSWERS].size = fresh.workers;
	log_open("turnout-fcgi", (enum log_level)fresh.log_level);
	for (i = 0; i < SLOTS; i++)
		if (p->workers[i].pid != 0)
			p->workers[i].old = true;
	p->pause_ms = p->start_at_ms = 0;
	log_info("configuration loaded again; rolling %ld workers",
	    p->conf->workers);
}

/* Nobody new may connect; whoever has is still answered. */
static void
begin_stop(struct pool *p, int64_t now)
{
	int i;

	p->stop_ms = now;
	log_info(
	    "stopping: %d workers finish their requests", count_running(p));
#ifdef HAVE_SYSTEMD
	sd_notify(0, "STOPPING=1");
#endif
	/* Now, not at the end: by then it may be another pool's. */
	if (p->teams[TEAM_ANSWERS].fd != STDIN_FILENO) {
		unlink(p->conf->listen);
		scoreboard_end();
	}
	if (p->teams[TEAM_STATUS].fd != -1)
		unlink(p->conf->status);
	for (i = 0; i < SLOTS; i++)
		tell(&p->workers[i]);
}

/* Returns false when the pool must leave at once. */
static bool
on_signal(struct pool *p, int sig, int64_t now)
{
	switch (sig) {
	case SIGHUP:
		if (p->stop_ms == 0)
			reload(p);
		return true;
	case SIGTERM:
	case SIGINT:
		if (p->stop_ms != 0) {
			log_info("asked to stop twice: stopping now");
			return false;
		}
		begin_stop(p, now);
		return true;
	default:
		return true;
	}
}

static void
kill_all(struct pool *p)
{
	int i;

	for (i = 0; i < SLOTS; i++)
		if (p->workers[i].pid != 0)
			kill(p->workers[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void
say_stats(struct pool *p, int64_t now)
{
	struct buf line = { 0 };

	if (now < p->stats_ms)
		return;
	if (p->stats_ms != 0) {
		scoreboard_stats_line(&line);
		log_info("stats: %s", buf_str(&line));
		buf_free(&line);
	}
	p->stats_ms = now + STATS_MS;
}

/* What is to be done each time something happened, or a tick has passed. */
static bool
turn(struct pool *p, int64_t now)
{
	const struct team *t;

	bury(p);
	if (p->stop_ms == 0) {
		fill(p, now);
		watch(p, now);
		for (t = p->teams; t < p->teams + TEAMS; t++)
			roll(p, t);
		say_stats(p, now);
		return true;
	}
	if (count_running(p) == 0)
		return false;
	if (now - p->stop_ms >= p->conf->stop_timeout_ms) {
		log_warn("%d workers did not finish in time; killing them",
		    count_running(p));
		return false;
	}
	watch(p, now);
	return true;
}

static void
say_ready(const struct pool *p)
{
	bool alone = p->teams[TEAM_STATUS].fd == -1;

	log_info("turnout-fcgi %s ready: %ld workers on %s, %s%s, libpq %d",
	    PACKAGE_VERSION, p->conf->workers,
	    p->teams[TEAM_ANSWERS].fd == STDIN_FILENO ? "descriptor 0"
						      : p->conf->listen,
	    alone ? "none for operators alone" : "one for operators on ",
	    alone ? "" : p->conf->status, PQlibVersion());
#ifdef HAVE_SYSTEMD
	sd_notify(0, "READY=1");
#endif
}

/*
 * Runs the pool until a stop is asked; takes conf over, reads path again on
 * SIGHUP.  Returns the exit status.
 */
int
pool_run(struct fcgi_conf *conf, const char *path,
    const struct pool_sockets *sockets)
{
	struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
	struct pool *p = xcalloc(1, sizeof(*p));
	sigset_t set;
	int sig;

	p->conf = conf;
	p->path = path;
	p->teams[TEAM_ANSWERS] = (struct team){ .fd = sockets->answers,
		.end = ANSWERS_SLOTS,
		.size = conf->workers };
	p->teams[TEAM_STATUS] = (struct team){ .fd = sockets->status,
		.first = ANSWERS_SLOTS,
		.end = SLOTS,
		.size = sockets->status == -1 ? 0 : 1 };
	block_signals(&set, &p->old_mask);
	signal(SIGPIPE, SIG_IGN); /* whoever reads the log may go away */
	scoreboard_open(ANSWERS_SLOTS, STATUS_SLOTS);
	fill(p, clock_mono_ms());
	say_ready(p);
	do {
		sig = sigtimedwait(&set, NULL, &tick);
		if (sig > 0 && !on_signal(p, sig, clock_mono_ms()))
			break;
	} while (turn(p, clock_mono_ms()));
	kill_all(p);
	log_info("stopped");
	free(p);
	return 0;
}
