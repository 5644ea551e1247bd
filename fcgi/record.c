/* FastCGI records (specification 1.0, sections 3.3 and 5.5); see record.h. */
#include "config.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fastcgi.h>

#include "fcgi/record.h"
#include "lib/xalloc.h"

/* A multiple of 8, as the specification recommends. */
#define RECORD_MAX ((size_t)FCGI_MAX_LENGTH / 8 * 8)
#define IOV_SEND_MAX 512 /* half of Linux's limit for one call */

/* The end of standard output, then the end of the request. */
struct ending {
	FCGI_Header out_end;
	FCGI_EndRequestRecord request_end;
};

static FCGI_Header
header(int type, int request_id, size_t len)
{
	return (FCGI_Header){ .version = FCGI_VERSION_1,
		.type = (unsigned char)type,
		.requestIdB1 = (unsigned char)(request_id >> 8 & 0xff),
		.requestIdB0 = (unsigned char)(request_id & 0xff),
		.contentLengthB1 = (unsigned char)(len >> 8 & 0xff),
		.contentLengthB0 = (unsigned char)(len & 0xff) };
}

/* Sends all of iov, which is used up. */
static int
send_all(int fd, struct iovec *iov, size_t n)
{
	struct msghdr msg = { 0 };
	ssize_t sent;

	while (n > 0) {
		msg.msg_iov = iov;
		msg.msg_iovlen = n < IOV_SEND_MAX ? n : IOV_SEND_MAX;
		sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent <= 0)
			return -1;
		while (n > 0 && (size_t)sent >= iov->iov_len) {
			sent -= (ssize_t)iov->iov_len;
			iov++;
			n--;
		}
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + sent;
			iov->iov_len -= (size_t)sent;
		}
	}
	return 0;
}

/*
 * Sends len bytes as the whole answer to a request; -1 with errno when the
 * other side is gone.  Waits for as long as the other side does not read.
 */
int
record_send(int fd, int request_id, const void *data, size_t len)
{
	size_t records = (len + RECORD_MAX - 1) / RECORD_MAX, part, i;
	FCGI_Header *headers = xcalloc(records + 1, sizeof(*headers));
	struct iovec *iov = xcalloc(records * 2 + 1, sizeof(*iov));
	struct ending end = {
		.out_end = header(FCGI_STDOUT, request_id, 0),
		.request_end.header = header(
		    FCGI_END_REQUEST, request_id, sizeof(end.request_end.body)),
		.request_end.body.protocolStatus = FCGI_REQUEST_COMPLETE,
	};
	const char *at = data;
	int rc;

	for (i = 0; i < records; i++) {
		part = len < RECORD_MAX ? len : RECORD_MAX;
		headers[i] = header(FCGI_STDOUT, request_id, part);
		iov[2 * i].iov_base = &headers[i];
		iov[2 * i].iov_len = sizeof(headers[i]);
		iov[2 * i + 1].iov_base = (void *)(uintptr_t)at;
		iov[2 * i + 1].iov_len = part;
		at += part;
		len -= part;
	}
	iov[2 * records].iov_base = &end;
	iov[2 * records].iov_len = sizeof(end);
	rc = send_all(fd, iov, records * 2 + 1);
	free(headers);
	free(iov);
	return rc;
}
