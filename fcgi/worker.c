/*
 * One worker; see worker.h.  The owner of libfcgi (2.4.2), whose reads wait
 * without a limit: a client that sends half a request holds this process
 * until the parent's watchdog ends it.  So the slot is busy from before the
 * accept, and the socket is polled first, together with the signal to stop.
 *
 * That signal stays blocked and is read from a descriptor: libfcgi gives up
 * a connection when a signal interrupts its poll, read or write, and a
 * request in hand is to be finished.
 */
#include "config.h"

#include <sys/signalfd.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "fcgi/fcgi_conf.h"
#include "fcgi/record.h"
#include "fcgi/request.h"
#include "fcgi/scoreboard.h"
#include "fcgi/serve.h"
#include "fcgi/worker.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"

#define CLOSE_WAIT_MS "100" /* libfcgi's waits at accept and close, ms */
#define BACK_OFF_NS 10000000L
#define ANSWER_ROOM (1 << 20) /* bytes; the system may give less */
#define DRAIN_MS 500 /* how long one still accepts where others go on */

static void
read_env(struct request_env *env, FCGX_ParamArray vars)
{
	env->method = FCGX_GetParam("REQUEST_METHOD", vars);
	env->path_info = FCGX_GetParam("PATH_INFO", vars);
	env->document_uri = FCGX_GetParam("DOCUMENT_URI", vars);
	env->script_name = FCGX_GetParam("SCRIPT_NAME", vars);
	env->query = FCGX_GetParam("QUERY_STRING", vars);
	env->if_none_match = FCGX_GetParam("HTTP_IF_NONE_MATCH", vars);
	env->accept = FCGX_GetParam("HTTP_ACCEPT", vars);
}

/*
 * Has whoever asked closed the connection?  After an overload the backlog is
 * full of questions that nginx gave up long ago: to answer them would keep
 * those who still wait behind them.
 */
static bool
given_up(int fd)
{
	struct pollfd pfd = { .fd = fd };

	return poll(&pfd, 1, 0) == 1 &&
	    (pfd.revents & (POLLHUP | POLLERR)) != 0;
}

static void
answer(struct server *server, FCGX_Request *fcgx, struct buf *out)
{
	struct request_env env;
	bool sent = false;

	if (!given_up(fcgx->ipcFd)) {
		read_env(&env, fcgx->envp);
		buf_clear(out);
		serve(server, &env, out);
		sent = record_send(fcgx->ipcFd, fcgx->requestId, out->data,
			   out->len) == 0;
	}
	if (!sent)
		score_add(SCORE_ABORTED, 1);
	/* All is written, and the connection is for one request, whatever the
	 * client asks for: the next read of a kept one would hold this
	 * process. */
	FCGX_Free(fcgx, 1);
}

/* Room for the whole answer: a worker that dies has sent all or nothing. */
static void
make_room(const FCGX_Request *fcgx)
{
	int room = ANSWER_ROOM;

	setsockopt(fcgx->ipcFd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

/* Turns the signals to stop into a descriptor; -1 = could not. */
static int
open_stop(void)
{
	sigset_t set;

	/* The parent's SIGHUP, and libfcgi's own SIGUSR1, mean nothing here. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * Waits until somebody connects; false when it is time to leave.  A worker
 * that is told to stop still takes those who were connected by then: at the
 * pool's end nobody else would, and nobody new can come; the parent bounds it.
 */
static bool
wait_for_client(const struct fcgi_conf *conf, int listen_fd, int stop_fd,
    int64_t *stop_at_ms)
{
	struct pollfd fds[] = {
		{ .fd = listen_fd, .events = POLLIN },
		{ .fd = *stop_at_ms == 0 ? stop_fd : -1, .events = POLLIN },
	};

	do {
		if (poll(fds, 2, *stop_at_ms == 0 ? -1 : 0) == -1 &&
		    errno != EINTR)
			return false;
		if (fds[1].revents != 0)
			*stop_at_ms = clock_mono_ms() +
			    (scoreboard_ends() ? conf->stop_timeout_ms
					       : DRAIN_MS);
	} while (*stop_at_ms == 0 && fds[0].revents == 0);
	return (fds[0].revents & POLLIN) != 0 &&
	    (*stop_at_ms == 0 || clock_left_ms(*stop_at_ms) > 0);
}

static int
open_fcgi(FCGX_Request *fcgx, int listen_fd)
{
	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", CLOSE_WAIT_MS, 1);
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", CLOSE_WAIT_MS, 1);
	if (FCGX_Init() == 0 &&
	    FCGX_InitRequest(fcgx, listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) == 0)
		return 0;
	return -1;
}

/*
 * Serves until a stop is asked or max_requests is reached; the request in
 * hand is always finished.  The socket does not block.  Returns the status
 * that the process is to leave with.
 */
int
worker_run(const struct fcgi_conf *conf, int listen_fd, int slot)
{
	struct timespec back_off = { .tv_nsec = BACK_OFF_NS };
	int64_t stop_at_ms = 0;
	struct buf out = { 0 };
	struct server *server;
	FCGX_Request fcgx;
	int rc, stop_fd;
	long served = 0;

	if ((stop_fd = open_stop()) == -1 ||
	    open_fcgi(&fcgx, listen_fd) == -1) {
		log_error("could not set a worker up: %s", strerror(errno));
		return 1;
	}
	server = server_open(conf);
	score_slot(slot);
	while ((served < conf->max_requests || scoreboard_ends()) &&
	    wait_for_client(conf, listen_fd, stop_fd, &stop_at_ms)) {
		score_state(SLOT_BUSY);
		rc = FCGX_Accept_r(&fcgx);
		if (rc >= 0) {
			make_room(&fcgx);
			answer(server, &fcgx, &out);
			served++;
		} else if (rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM)
			nanosleep(&back_off, NULL);
		/* -EAGAIN: another worker was quicker. */
		score_state(SLOT_IDLE);
	}
	server_close(server);
	buf_free(&out);
	return 0;
}

/* Answers the one request in the environment, as plain CGI. */
int
worker_cgi(const struct fcgi_conf *conf)
{
	const struct request_env env = {
		.method = getenv("REQUEST_METHOD"),
		.path_info = getenv("PATH_INFO"),
		.document_uri = getenv("DOCUMENT_URI"),
		.script_name = getenv("SCRIPT_NAME"),
		.query = getenv("QUERY_STRING"),
		.if_none_match = getenv("HTTP_IF_NONE_MATCH"),
		.accept = getenv("HTTP_ACCEPT"),
	};
	struct server *server;
	struct buf out = { 0 };
	size_t sent;

	signal(SIGPIPE, SIG_IGN);
	scoreboard_open(1, 0);
	score_slot(0);
	server = server_open(conf);
	serve(server, &env, &out);
	sent = fwrite(out.data, 1, out.len, stdout);
	if (fflush(stdout) == EOF)
		sent = 0;
	server_close(server);
	sent = out.len - sent;
	buf_free(&out);
	return sent == 0 ? 0 : 1;
}
