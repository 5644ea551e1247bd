/* The socket of the pool: made here, or handed over as descriptor 0. */
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
remove_old(const char *path, struct buf *why)
{
	struct stat st;

	if (lstat(path, &st) == -1) {
		if (errno == ENOENT)
			return 0;
		buf_addf(why, "fcgi.listen: \"%s\": %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISSOCK(st.st_mode)) {
		buf_addf(
		    why, "fcgi.listen: \"%s\" is there and is no socket", path);
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
set_rights(const struct fcgi_conf *conf, struct buf *why)
{
	mode_t mode = (mode_t)strtoul(conf->mode, NULL, 8);
	struct group *gr;

	if (conf->group[0] != '\0') {
		if ((gr = getgrnam(conf->group)) == NULL) {
			buf_addf(why, "fcgi.group: there is no group \"%s\"",
			    conf->group);
			return -1;
		}
		if (chown(conf->listen, (uid_t)-1, gr->gr_gid) == -1) {
			buf_addf(why,
			    "could not give \"%s\" to group \"%s\": "
			    "%s",
			    conf->listen, conf->group, strerror(errno));
			return -1;
		}
	}
	if (chmod(conf->listen, mode) == -1) {
		buf_addf(why, "could not set the mode of \"%s\": %s",
		    conf->listen, strerror(errno));
		return -1;
	}
	return 0;
}

static int
make_socket(const struct fcgi_conf *conf, struct buf *why)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t old;
	int fd, rc;

	if (strlen(conf->listen) >= sizeof(sun.sun_path)) {
		buf_addf(why, "fcgi.listen: \"%s\" is longer than %zu bytes",
		    conf->listen, sizeof(sun.sun_path) - 1);
		return -1;
	}
	strcpy(sun.sun_path, conf->listen);
	if (somebody_listens(&sun)) {
		buf_addf(
		    why, "somebody listens on \"%s\" already", conf->listen);
		return -1;
	}
	if (remove_old(conf->listen, why) == -1)
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
		buf_addf(why, "could not listen on \"%s\": %s", conf->listen,
		    strerror(errno));
		close(fd);
		return -1;
	}
	if (set_rights(conf, why) == -1) {
		unlink(conf->listen);
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * The listening socket, non-blocking: descriptor 0 when it is one, else made
 * at fcgi.listen.  Returns -1 with the complaint in *why.
 */
int
pool_listen(const struct fcgi_conf *conf, struct buf *why)
{
	int flags;

	if (!pool_handed_over())
		return make_socket(conf, why);
	flags = fcntl(STDIN_FILENO, F_GETFL);
	if (flags == -1 ||
	    fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == -1) {
		buf_addf(why, "could not use the socket on descriptor 0: %s",
		    strerror(errno));
		return -1;
	}
	return STDIN_FILENO;
}
