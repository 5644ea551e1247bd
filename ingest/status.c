/*
 * /metrics and /healthz; see status.h.  libmicrohttpd answers on a thread of
 * its own from the counters, so it answers whatever the daemon waits for.
 */
#include "config.h"

#include <sys/socket.h>

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "ingest/counters.h"
#include "ingest/status.h"
#include "lib/buf.h"

static struct MHD_Daemon *daemon_handle;

static enum MHD_Result
answer(struct MHD_Connection *conn, unsigned status, const char *type,
    const char *body, size_t len)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
	    len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	if (r == NULL)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	if (status == 405)
		MHD_add_response_header(r, "Allow", "GET, HEAD");
	rc = MHD_queue_response(conn, status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **state)
{
	static const char text[] = "text/plain; version=0.0.4; charset=utf-8";
	struct buf b = { 0 };
	unsigned status = 200;
	enum MHD_Result rc;

	(void)arg;
	(void)version;
	(void)upload;
	(void)state;
	if (*upload_size > 0) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		status = 405;
		buf_adds(&b, "only GET and HEAD\n");
	} else if (strcmp(url, "/metrics") == 0)
		counters_render(&b);
	else if (strcmp(url, "/healthz") == 0)
		buf_addf(&b, "ok\npartitions %lld\nstopped %lld\ndb_up %lld\n",
		    (long long)count_get(COUNT_PARTITIONS),
		    (long long)count_get(COUNT_STOPPED),
		    (long long)count_get(COUNT_DB_UP));
	else {
		status = 404;
		buf_adds(&b, "there are /metrics and /healthz\n");
	}
	rc = answer(conn, status, text, b.data, b.len);
	buf_free(&b);
	return rc;
}

/*
 * Listens on "address:port" ("[::1]:9464" for IPv6); "" = nowhere, which is
 * fine too.  Returns 0, or -1 when that cannot be.
 */
int
status_start(const char *listen)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *ai = NULL;
	char host[64];
	const char *colon = strrchr(listen, ':');
	size_t len;

	if (listen[0] == '\0')
		return 0;
	if (colon == NULL || (len = (size_t)(colon - listen)) >= sizeof(host))
		return -1;
	if (listen[0] == '[' && len > 1 && listen[len - 1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)len - 2, listen + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)len, listen);
	if (getaddrinfo(host, colon + 1, &hints, &ai) != 0)
		return -1;
	daemon_handle = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
		(ai->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0),
	    0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, ai->ai_addr,
	    MHD_OPTION_CONNECTION_LIMIT, 16U, MHD_OPTION_CONNECTION_TIMEOUT,
	    10U, MHD_OPTION_END);
	freeaddrinfo(ai);
	return daemon_handle == NULL ? -1 : 0;
}

void
status_stop(void)
{
	if (daemon_handle != NULL)
		MHD_stop_daemon(daemon_handle);
	daemon_handle = NULL;
}
