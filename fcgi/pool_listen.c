/* The sockets of the pool: made here, or handed over as descriptor 0. */
#include "config.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/fcgi_conf.h"
#include "fcgi/pool.h"

/* Is descriptor 0 a socket that listens (spawn-fcgi, systemd)? */
bool
pool_handed_over(void)
{
	socklen_t len = sizeof(int);
	int listening = 0;

	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listening,
		   &len) == 0 &&
	    listening != 0;
}

/* Does somebody answer at this path?  A socket file alone says nothing. */
static bool
somebody_listens(const struct sockaddr_un *sun)
{
	bool yes;
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return false;
	yes = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 ||
	    errno == EAGAIN;
	close(fd);
	return yes;
}

/* Removes what an earlier pool left, and nothing else. */
static int
remove_old(const char *key, const char *path, struct buf *why)
{
	struct stat st;

	if (lstat(path, &st) == -1) {
		if (errno == ENOENT)
			return 0;
		buf_addf(why, "%s: \"%s\": %s", key, path, strerror(errno));
		return -1;
	}
	if (!S_ISSOCK(st.st_mode)) {
		buf_addf(
		    why, "%s: \"%s\" is there and is no socket", key, path);
		return -1;
	}
	if (unlink(path) == -1) {
		buf_addf(why, "could not remove the old \"%s\": %s", path,
		    strerror(errno));
		return -1;
	}
	return 0;
}

static int
set_rights(const struct fcgi_conf *conf, const char *path, struct buf *why)
{
	mode_t mode = (mode_t)strtoul(conf->mode, NULL, 8);
	struct group *gr;

	if (conf->group[0] != '\0') {
		if ((gr = getgrnam(conf->group)) == NULL) {
			buf_addf(why, "fcgi.group: there is no group \"%s\"",
			    conf->group);
			return -1;
		}
		if (chown(path, (uid_t)-1, gr->gr_gid) == -1) {
			buf_addf(why,
			    "could not give \"%s\" to group \"%s\": "
			    "%s",
			    path, conf->group, strerror(errno));
			return -1;
		}
	}
	if (chmod(path, mode) == -1) {
		buf_addf(why, "could not set the mode of \"%s\": %s", path,
		    strerror(errno));
		return -1;
	}
	return 0;
}

static int
make_socket(const struct fcgi_conf *conf, const char *key, const char *path,
    struct buf *why)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t old;
	int fd, rc;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		buf_addf(why, "%s: \"%s\" is longer than %zu bytes", key, path,
		    sizeof(sun.sun_path) - 1);
		return -1;
	}
	strcpy(sun.sun_path, path);
	if (somebody_listens(&sun)) {
		buf_addf(why, "somebody listens on \"%s\" already", path);
		return -1;
	}
	if (remove_old(key, path, why) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1) {
		buf_addf(why, "could not make a socket: %s", strerror(errno));
		return -1;
	}
	/* Nobody connects before the rights are set. */
	old = umask(0777);
	rc = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	if (rc == -1 || listen(fd, (int)conf->backlog) == -1) {
		buf_addf(why, "could not listen on \"%s\": %s", path,
		    strerror(errno));
		close(fd);
		return -1;
	}
	if (set_rights(conf, path, why) == -1) {
		unlink(path);
		close(fd);
		return -1;
	}
	return fd;
}

/* Descriptor 0, as it was handed over. */
static int
take_socket(struct buf *why)
{
	int flags;

	flags = fcntl(STDIN_FILENO, F_GETFL);
	if (flags == -1 ||
	    fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == -1) {
		buf_addf(why, "could not use the socket on descriptor 0: %s",
		    strerror(errno));
		return -1;
	}
	return STDIN_FILENO;
}

/*
 * Opens the sockets: descriptor 0 when it is one, and no other then; else
 * those at fcgi.listen and fcgi.status.  Returns 0, or -1 with the complaint
 * in *why and nothing left open.
 */
int
pool_listen(
    const struct fcgi_conf *conf, struct pool_sockets *s, struct buf *why)
{
	s->status = -1;
	if (pool_handed_over())
		return (s->answers = take_socket(why)) == -1 ? -1 : 0;
	s->answers = make_socket(conf, "fcgi.listen", conf->listen, why);
	if (s->answers == -1)
		return -1;
	if (conf->status[0] == '\0')
		return 0;
	s->status = make_socket(conf, "fcgi.status", conf->status, why);
	if (s->status != -1)
		return 0;
	close(s->answers);
	unlink(conf->listen);
	return -1;
}
