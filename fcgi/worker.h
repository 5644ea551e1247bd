/* One worker of the pool: takes connections from the socket and answers. */
#ifndef TURNOUT_FCGI_WORKER_H
#define TURNOUT_FCGI_WORKER_H

struct fcgi_conf;

int worker_run(const struct fcgi_conf *, int listen_fd, int slot);
int worker_cgi(const struct fcgi_conf *);

#endif
