/*
 * Import of files: the daemon's path with a file for a partition.  A line's
 * place in log order is (its mtime, -1, its number), so a file imported twice
 * changes nothing.  The row in turnout.imports is the fence that the offset
 * row is for Kafka.
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "ingest/batch.h"
#include "ingest/counters.h"
#include "ingest/ingest_conf.h"
#include "ingest/progress.h"
#include "ingest/run.h"
#include "ingest/storer.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "lib/xalloc.h"

#define READ_SIZE 262144
#define LINE_MAX_BYTES 16777216 /* as much as librdkafka takes from a broker */

struct import {
	const struct ingest_conf *conf;
	struct store *store;
	struct storer *storer;
	struct rsvp_parser *parser;
	struct batch open, spare;
	struct buf line;
	const char *name; /* of the file, as it was given */
	gzFile gz;
	int fd;
	int64_t size; /* bytes of the file; 0 = not known */
	int64_t lines, blank, import_id;
	struct progress progress;
	bool idle, quiet;
	bool too_long; /* the line in hand: there is no more of this file */
	bool failed;   /* this file */
	int status;    /* of all of them */
};

static void
say_progress(struct import *im, bool last)
{
	const struct progress_count count = { .unit = "lines",
		.done = im->lines,
		.at = (int64_t)lseek(im->fd, 0, SEEK_CUR),
		.whole = im->size };

	progress_count(&im->progress, &count, last);
}

/* Waits for the storer; false when the batch in flight did not make it. */
static bool
settle(struct import *im)
{
	if (im->idle)
		return true;
	while (storer_wait(im->storer, 1000) == STORER_BUSY)
		say_progress(im, false);
	im->idle = true;
	switch (storer_take(im->storer, &im->spare)) {
	case STORE_DONE:
		batch_clear(&im->spare);
		return true;
	case STORE_STOPPED:
		return false;
	case STORE_FENCED:
		log_error("%s: somebody else writes this import, or a crash of "
			  "PostgreSQL has taken back the last of it; stopping",
		    im->name);
		im->failed = true;
		return false;
	case STORE_FATAL:
		log_error("%s: could not store a batch: %s", im->name,
		    store_errstr(im->store));
		im->failed = true;
		return false;
	}
	return false;
}

static bool
give(struct import *im)
{
	if (im->open.nrecords == 0)
		return true;
	if (!settle(im))
		return false;
	batch_move(&im->open, BATCH_IMPORT_PART,
	    im->lines - (int64_t)im->open.nrecords)
	    ->next = im->lines;
	im->open.import_id = im->import_id;
	batch_sort(&im->open);
	storer_give(im->storer, &im->open);
	im->idle = false;
	free(im->open.source);
	im->open.source = xstrdup(im->spare.source);
	im->open.store_members = im->conf->store_members;
	batch_clear(&im->open);
	return true;
}

/* One line, without its newline; false when the import must end. */
static bool
take_line(struct import *im)
{
	struct incoming in = { .pos = { .part = BATCH_IMPORT_PART,
				   .offset = im->lines + im->blank },
		.value = im->line.data,
		.value_len = im->line.len };

	if (strspn(buf_str(&im->line), " \t\r") == im->line.len) {
		im->blank++;
	} else {
		batch_add(&im->open, &in, im->parser, clock_wall_ms());
		im->lines++;
	}
	buf_clear(&im->line);
	if (im->open.nrecords >= (size_t)im->conf->batch_max_messages ||
	    im->open.arena.len >= (size_t)im->conf->batch_max_bytes)
		return give(im);
	return true;
}

/* More of a line; false when no message is that long. */
static bool
keep_bytes(struct import *im, const char *data, size_t len)
{
	if (len > LINE_MAX_BYTES - im->line.len) {
		log_error("%s: line %lld is longer than %d bytes; stopping",
		    im->name, (long long)(im->lines + im->blank + 1),
		    LINE_MAX_BYTES);
		im->too_long = im->failed = true;
		return false;
	}
	buf_add(&im->line, data, len);
	return true;
}

/* Cuts what was read into lines. */
static bool
take_bytes(struct import *im, const char *data, size_t len)
{
	const char *nl;

	while ((nl = memchr(data, '\n', len)) != NULL) {
		if (!keep_bytes(im, data, (size_t)(nl - data)) ||
		    !take_line(im))
			return false;
		len -= (size_t)(nl + 1 - data);
		data = nl + 1;
	}
	return keep_bytes(im, data, len);
}

static void
read_file(struct import *im)
{
	static char bytes[READ_SIZE];
	const char *why;
	int n, err;

	while (
	    !stop_asked() && (n = gzread(im->gz, bytes, sizeof(bytes))) > 0) {
		if (!take_bytes(im, bytes, (size_t)n)) {
			if (!im->too_long)
				return;
			break;
		}
		say_progress(im, false);
	}
	if (stop_asked())
		return;
	why = gzerror(im->gz, &err);
	if (err != Z_OK && err != Z_STREAM_END) {
		log_error("%s: could not read on after line %lld: %s", im->name,
		    (long long)(im->lines + im->blank),
		    err == Z_ERRNO ? strerror(errno) : why);
		im->failed = true;
	} else if (im->line.len > 0 && !im->too_long && !take_line(im))
		return;
	if (give(im))
		(void)settle(im);
}

static int
open_file(struct import *im, const char *name)
{
	struct stat st;

	im->name = strcmp(name, "-") == 0 ? "standard input" : name;
	im->fd = strcmp(name, "-") == 0 ? dup(STDIN_FILENO)
					: open(name, O_RDONLY | O_CLOEXEC);
	if (im->fd == -1 || fstat(im->fd, &st) == -1) {
		log_error("%s: could not open: %s", im->name, strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode)) {
		log_error("%s: cannot import a directory", im->name);
		close(im->fd);
		return -1;
	}
	im->size = S_ISREG(st.st_mode) ? st.st_size : 0;
	if ((im->gz = gzdopen(dup(im->fd), "rb")) == NULL)
		die(1, "could not allocate memory for zlib");
	gzbuffer(im->gz, READ_SIZE);
	return 0;
}

/* The rows of it are all there, or it is told. */
static void
end_file(struct import *im)
{
	if (stop_asked()) {
		log_warn("%s: broken off; import it again, what is in changes "
			 "nothing",
		    im->name);
		im->failed = true;
	} else if (!im->failed &&
	    store_end_import(im->store, im->import_id, im->lines) == -1) {
		log_error("%s: could not end the import: %s; import it again",
		    im->name, store_errstr(im->store));
		im->failed = true;
	}
}

static void
import_file(struct import *im, const char *name)
{
	int64_t rows = count_get(COUNT_ROWS_CHANGED);
	int64_t dead = count_dead_letters();
	struct buf source = { 0 };
	char *copy;

	im->failed = im->too_long = false;
	if (open_file(im, name) == -1) {
		im->status = 1;
		return;
	}
	copy = xstrdup(im->name);
	buf_addf(&source, "import:%s", basename(copy));
	im->lines = im->blank = 0;
	buf_clear(&im->line);
	progress_start(&im->progress, im->name, im->quiet);
	im->idle = true;
	batch_init(&im->open, buf_str(&source), im->conf->store_members);
	batch_init(&im->spare, buf_str(&source), im->conf->store_members);
	if (store_begin_import(im->store, basename(copy), &im->import_id) ==
	    -1) {
		log_error("%s: %s", im->name, store_errstr(im->store));
		im->failed = true;
		goto out;
	}
	im->storer = storer_start(im->store);
	read_file(im);
	if (!storer_stop(im->storer, (int)im->conf->pg_timeout_ms))
		_exit(1);
	say_progress(im, true);
	end_file(im);
	printf("%s: %lld lines, %lld RSVPs changed, %lld dead letters, "
	       "%lld blank lines\n",
	    im->name, (long long)im->lines,
	    (long long)(count_get(COUNT_ROWS_CHANGED) - rows),
	    (long long)(count_dead_letters() - dead), (long long)im->blank);
out:
	if (im->failed)
		im->status = 1;
	gzclose(im->gz);
	close(im->fd);
	batch_free(&im->open);
	batch_free(&im->spare);
	buf_free(&source);
	free(copy);
}

/*
 * Imports n files, one after the other.  Returns the exit status: 0 when all
 * were read to the end, dead letters or not; 1 otherwise.
 */
int
import_files(
    const struct ingest_conf *conf, char *const *files, int n, bool quiet)
{
	struct import im = { .conf = conf, .quiet = quiet };
	int i;

	im.store = store_open(conf);
	im.parser = rsvp_parser_open();
	for (i = 0; i < n && !stop_asked(); i++)
		import_file(&im, files[i]);
	buf_free(&im.line);
	rsvp_parser_close(im.parser);
	store_close(im.store);
	return im.status;
}
