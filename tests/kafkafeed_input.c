/* Lines for kafkafeed: files, .gz files, a pipe; and what stands in a line. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/kafkafeed.h"

/*
 * Opens a file, or standard input for "-".  Returns 0, or -1 after it said
 * why on stderr.
 */
int
feed_input_open(struct feed_input *in, const char *name)
{
	size_t len = strlen(name);

	in->name = name;
	in->gz = NULL;
	if (strcmp(name, "-") == 0) {
		in->fd = STDIN_FILENO;
		return 0;
	}
	if ((in->fd = open(name, O_RDONLY | O_CLOEXEC)) == -1) {
		fprintf(stderr, "kafkafeed: cannot open \"%s\": %s\n", name,
		    strerror(errno));
		return -1;
	}
	if (len < 3 || strcmp(name + len - 3, ".gz") != 0)
		return 0;
	if ((in->gz = gzdopen(in->fd, "rb")) == NULL) {
		fprintf(stderr, "kafkafeed: out of memory\n");
		close(in->fd);
		return -1;
	}
	return 0;
}

/*
 * Like read(2): a pipe gives what is there, so that a slow stream flows.  Says
 * why on stderr when it returns -1; a signal ends it as the end of the file
 * does.
 */
ssize_t
feed_input_read(struct feed_input *in, char *out, size_t size)
{
	ssize_t n;
	int code;

	if (in->gz != NULL) {
		n = gzread(in->gz, out, (unsigned int)size);
		if (n < 0)
			fprintf(stderr, "kafkafeed: \"%s\": %s\n", in->name,
			    gzerror(in->gz, &code));
		return n;
	}
	n = read(in->fd, out, size);
	if (n == -1 && errno == EINTR)
		return 0;
	if (n == -1)
		fprintf(stderr, "kafkafeed: \"%s\": %s\n", in->name,
		    strerror(errno));
	return n;
}

void
feed_input_close(struct feed_input *in)
{
	if (in->gz != NULL)
		gzclose(in->gz);
	else if (in->fd != STDIN_FILENO)
		close(in->fd);
}

/*
 * Finds the integer that follows "name": in a line of JSON.  A quote inside a
 * JSON string is escaped, so a quoted name without a backslash before it is
 * a key.  Returns its first character and its length, or NULL.
 */
const char *
feed_find_integer(
    const char *line, size_t len, const char *name, size_t *digits)
{
	const char *end = line + len;
	const char *p = line;
	const char *start;
	size_t name_len = strlen(name);

	while ((p = memmem(p, (size_t)(end - p), name, name_len)) != NULL) {
		start = p;
		p += name_len;
		if (start > line && start[-1] == '\\')
			continue;
		while (p < end && (*p == ' ' || *p == ':'))
			p++;
		start = p;
		while (p < end && isdigit((unsigned char)*p))
			p++;
		if (p == start)
			continue;
		*digits = (size_t)(p - start);
		return start;
	}
	return NULL;
}
