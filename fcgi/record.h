/*
 * An answer as FastCGI records, all of them in one write: the operating
 * system takes it whole where the socket has room for it, so that a process
 * that is killed has answered or has not.  (libfcgi writes 8 KiB at a time.)
 */
#ifndef TURNOUT_FCGI_RECORD_H
#define TURNOUT_FCGI_RECORD_H

#include <stddef.h>

#include "lib/attr.h"

int record_send(int fd, int request_id, const void *data, size_t len) MUSTCHECK;

#endif
