/*
 * One worker; see worker.h.  The owner of libfcgi (2.4.2), whose reads wait
 * without a limit: a client that sends half a request holds this process
 * until the parent's watchdog ends it.  So the slot is busy from before the
 * accept, and the socket is polled first, together with the stop flag.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "fcgi/fcgi_conf.h"
#include "fcgi/request.h"
#include "fcgi/scoreboard.h"
#include "fcgi/serve.h"
#include "fcgi/worker.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/stop.h"

#define CLOSE_WAIT_MS "100" /* libfcgi's waits at accept and close, ms */
#define BACK_OFF_NS 10000000L

static void
read_env(struct request_env *env, FCGX_ParamArray vars)
{
	env->method = FCGX_GetParam("REQUEST_METHOD", vars);
	env->path_info = FCGX_GetParam("PATH_INFO", vars);
	env->document_uri = FCGX_GetParam("DOCUMENT_URI", vars);
	env->script_name = FCGX_GetParam("SCRIPT_NAME", vars);
	env->query = FCGX_GetParam("QUERY_STRING", vars);
	env->if_none_match = FCGX_GetParam("HTTP_IF_NONE_MATCH", vars);
}

static void
answer(struct server *server, FCGX_Request *fcgx, struct buf *out)
{
	struct request_env env;

	read_env(&env, fcgx->envp);
	buf_clear(out);
	serve(server, &env, out);
	if (FCGX_PutStr(out->data, (int)out->len, fcgx->out) != (int)out->len ||
	    FCGX_FFlush(fcgx->out) == -1)
		score_add(SCORE_ABORTED, 1);
	FCGX_Finish_r(fcgx);
}

/* Waits until somebody connects; false when a stop was asked. */
static bool
wait_for_client(int listen_fd)
{
	struct pollfd fds[] = {
		{ .fd = listen_fd, .events = POLLIN },
		{ .fd = stop_fd(), .events = POLLIN },
	};

	while (!stop_asked()) {
		if (poll(fds, 2, -1) == -1 && errno != EINTR)
			return false;
		if (!stop_asked() && (fds[0].revents & POLLIN) != 0)
			return true;
	}
	return false;
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
	struct buf out = { 0 };
	struct server *server;
	FCGX_Request fcgx;
	long served = 0;
	int rc;

	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", CLOSE_WAIT_MS, 1);
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", CLOSE_WAIT_MS, 1);
	/* Before FCGX_Init(), which installs its own handlers otherwise. */
	stop_install(FCGX_ShutdownPending);
	if (FCGX_Init() != 0 ||
	    FCGX_InitRequest(&fcgx, listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
		log_error("could not initialise libfcgi");
		return 1;
	}
	score_slot(slot);
	server = server_open(conf);
	while (served < conf->max_requests && wait_for_client(listen_fd)) {
		score_state(SLOT_BUSY);
		rc = FCGX_Accept_r(&fcgx);
		if (rc >= 0) {
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
	};
	struct server *server;
	struct buf out = { 0 };
	size_t sent;

	signal(SIGPIPE, SIG_IGN);
	scoreboard_open(1);
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
