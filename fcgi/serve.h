/* One request, from its variables to the bytes of its answer. */
#ifndef TURNOUT_FCGI_SERVE_H
#define TURNOUT_FCGI_SERVE_H

struct buf;
struct fcgi_conf;
struct request_env;
struct server;

struct server *server_open(const struct fcgi_conf *);
void serve(struct server *, const struct request_env *, struct buf *out);
void server_close(struct server *);

#endif
