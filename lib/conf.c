/*
 * Configuration from a table of keys; see conf.h.  The file's lines are
 * counted here, because libinih tells its handler no line numbers and cuts
 * a line that is too long.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/xalloc.h"

struct loading {
	void *out;
	const struct conf_key *keys;
	size_t nkeys;
	bool *seen; /* by key: the file has set it */
	FILE *file;
	const char *path;
	int line;
	struct buf *why; /* the first complaint; empty = none */
};

static void *
field(void *out, const struct conf_key *key)
{
	return (char *)out + key->offset;
}

/* Whole numbers in decimal, nothing around them. */
int
conf_number(long *out, const char *text, long min, long max)
{
	char *end;
	long n;

	if (!isdigit((unsigned char)text[0]) &&
	    !(text[0] == '-' && isdigit((unsigned char)text[1])))
		return -1;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || n < min || n > max)
		return -1;
	*out = n;
	return 0;
}

static void
add_allowed(struct buf *why, const struct conf_key *key)
{
	size_t i;

	switch (key->type) {
	case CONF_NUMBER:
		buf_addf(
		    why, "a whole number from %ld to %ld", key->min, key->max);
		break;
	case CONF_BOOL:
		buf_adds(why, "yes or no");
		break;
	case CONF_CHOICE:
		for (i = 0; key->choices[i] != NULL; i++)
			buf_addf(
			    why, "%s%s", i == 0 ? "" : " or ", key->choices[i]);
		break;
	case CONF_STRING:
	case CONF_PAIRS:
		buf_adds(why, "text");
		break;
	}
}

static int
choice(int *out, const struct conf_key *key, const char *value)
{
	int i;

	for (i = 0; key->choices[i] != NULL; i++) {
		if (strcmp(key->choices[i], value) == 0) {
			*out = i;
			return 0;
		}
	}
	return -1;
}

/* Stores one value; returns -1 when it is none of what the key allows. */
static int
set(void *out, const struct conf_key *key, const char *value)
{
	void *p = field(out, key);

	switch (key->type) {
	case CONF_STRING:
		free(*(char **)p);
		*(char **)p = xstrdup(value);
		return 0;
	case CONF_NUMBER:
		return conf_number(p, value, key->min, key->max);
	case CONF_BOOL:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			return -1;
		*(bool *)p = value[0] == 'y';
		return 0;
	case CONF_CHOICE:
		return choice(p, key, value);
	case CONF_PAIRS:
		break;
	}
	return -1;
}

static void
pairs_add(struct conf_pairs *pairs, const char *name, const char *value)
{
	pairs->names = xreallocarray(
	    pairs->names, pairs->n + 1, sizeof(*pairs->names));
	pairs->values = xreallocarray(
	    pairs->values, pairs->n + 1, sizeof(*pairs->values));
	pairs->names[pairs->n] = xstrdup(name);
	pairs->values[pairs->n] = xstrdup(value);
	pairs->n++;
}

static const struct conf_key *
find(const struct conf_key *keys, size_t nkeys, const char *name)
{
	const char *dot = strchr(name, '.');
	size_t i, len = dot == NULL ? 0 : (size_t)(dot - name) + 1;

	for (i = 0; i < nkeys; i++) {
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
		if (keys[i].type == CONF_PAIRS && len > 0 &&
		    strncmp(keys[i].name, name, len) == 0)
			return &keys[i];
	}
	return NULL;
}

/* Called by libinih for each "name = value"; 0 = stop, it is wrong. */
static int
on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct loading *l = user;
	const struct conf_key *key;
	char full[CONF_LINE_MAX * 2];

	if (l->why->len > 0)
		return 0;
	snprintf(full, sizeof(full), "%s.%s", section, name);
	key = find(l->keys, l->nkeys, full);
	if (key == NULL) {
		buf_addf(l->why, "%s:%d: unknown key \"%s\"", l->path, l->line,
		    section[0] == '\0' ? name : full);
		return 0;
	}
	if (key->type == CONF_PAIRS) {
		pairs_add(field(l->out, key), name, value);
		return 1;
	}
	if (l->seen[key - l->keys]) {
		buf_addf(l->why, "%s:%d: \"%s\" is set twice", l->path, l->line,
		    full);
		return 0;
	}
	l->seen[key - l->keys] = true;
	if (set(l->out, key, value) == -1) {
		buf_addf(
		    l->why, "%s:%d: \"%s\" must be ", l->path, l->line, full);
		add_allowed(l->why, key);
		buf_addf(l->why, ", not \"%s\"", value);
		return 0;
	}
	return 1;
}

/* fgets for libinih that counts lines and refuses one it would cut. */
static char *
read_line(char *out, int room, void *user)
{
	struct loading *l = user;
	size_t n;

	if (l->why->len > 0 || fgets(out, room, l->file) == NULL)
		return NULL;
	l->line++;
	n = strlen(out);
	if (n + 1 >= (size_t)room && out[n - 1] != '\n') {
		buf_addf(l->why, "%s:%d: line is longer than %d bytes", l->path,
		    l->line, room - 2);
		return NULL;
	}
	return out;
}

static int
load_file(struct loading *l)
{
	int line;

	/* How libinih reads: one line a value, "#" or ";" starts a comment. */
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_use_stack = false;
	ini_max_line = CONF_LINE_MAX;
	ini_initial_alloc = CONF_LINE_MAX;
	ini_allow_realloc = false;
	ini_stop_on_first_error = true;

	if ((l->file = fopen(l->path, "re")) == NULL) {
		buf_addf(
		    l->why, "%s: could not open: %s", l->path, strerror(errno));
		return -1;
	}
	line = ini_parse_stream(read_line, l, on_pair, l);
	if (l->why->len == 0 && ferror(l->file))
		buf_addf(
		    l->why, "%s: could not read: %s", l->path, strerror(errno));
	fclose(l->file);
	if (l->why->len == 0 && line != 0)
		buf_addf(l->why, "%s:%d: expected [section] or name = value",
		    l->path, line > 0 ? line : 1);
	return l->why->len == 0 ? 0 : -1;
}

/* "pool.workers" is TURNOUT_POOL_WORKERS in the environment. */
static const char *
from_environment(const struct conf_key *key, char *name, size_t room)
{
	size_t i;

	snprintf(name, room, "TURNOUT_%s", key->name);
	for (i = 0; name[i] != '\0'; i++)
		name[i] = name[i] == '.'
		    ? '_'
		    : (char)toupper((unsigned char)name[i]);
	return key->type == CONF_PAIRS ? NULL : getenv(name);
}

static int
load_environment(struct loading *l)
{
	char name[128];
	const char *value;
	size_t i;

	for (i = 0; i < l->nkeys; i++) {
		value = from_environment(&l->keys[i], name, sizeof(name));
		if (value == NULL || set(l->out, &l->keys[i], value) == 0)
			continue;
		buf_addf(l->why, "environment: %s must be ", name);
		add_allowed(l->why, &l->keys[i]);
		buf_addf(l->why, ", not \"%s\"", value);
		return -1;
	}
	return 0;
}

/* The file to be read: the one that is given, or the preset one where there
 * is such a file; NULL: there is neither. */
const char *
conf_path(const char *given, const char *preset)
{
	if (given != NULL)
		return given;
	return access(preset, F_OK) == 0 ? preset : NULL;
}

/* Tells on standard output that a configuration is right, and which one. */
void
conf_say_ok(const char *path, const char *preset)
{
	if (path != NULL)
		printf("configuration OK: %s\n", path);
	else
		printf("configuration OK: there is no %s, so it is the presets "
		       "and the environment\n",
		    preset);
}

/*
 * Fills *out (zeroed by the caller) from presets, the file at path (NULL = no
 * file) and the environment, in that order.  Returns 0, or -1 with the
 * complaint in *why; *out then holds nothing to be freed.
 */
int
conf_load(void *out, const struct conf_key *keys, size_t nkeys,
    const char *path, struct buf *why)
{
	struct loading l = { .out = out,
		.keys = keys,
		.nkeys = nkeys,
		.path = path,
		.why = why };
	int rc = -1;
	size_t i;

	buf_clear(why);
	l.seen = xcalloc(nkeys, sizeof(*l.seen));
	for (i = 0; i < nkeys; i++) {
		if (keys[i].preset != NULL && keys[i].type != CONF_PAIRS &&
		    set(out, &keys[i], keys[i].preset) == -1) {
			buf_addf(why, "preset of \"%s\" is not allowed",
			    keys[i].name);
			goto out;
		}
	}
	if (path != NULL && load_file(&l) == -1)
		goto out;
	if (load_environment(&l) == -1)
		goto out;
	rc = 0;
out:
	free(l.seen);
	if (rc == -1)
		conf_free(out, keys, nkeys);
	return rc;
}

/* Writes the configuration in force, as a file that would set it. */
void
conf_print(const void *conf, const struct conf_key *keys, size_t nkeys,
    struct buf *out)
{
	const char *section = "", *dot;
	const void *p;
	size_t i, j, len;

	for (i = 0; i < nkeys; i++) {
		p = (const char *)conf + keys[i].offset;
		dot = strchr(keys[i].name, '.');
		len = (size_t)(dot - keys[i].name);
		if (strncmp(section, keys[i].name, len + 1) != 0)
			buf_addf(out, "[%.*s]\n", (int)len, keys[i].name);
		section = keys[i].name;
		switch (keys[i].type) {
		case CONF_STRING:
			buf_addf(out, "%s = %s\n", dot + 1, *(char *const *)p);
			break;
		case CONF_NUMBER:
			buf_addf(out, "%s = %ld\n", dot + 1, *(const long *)p);
			break;
		case CONF_BOOL:
			buf_addf(out, "%s = %s\n", dot + 1,
			    *(const bool *)p ? "yes" : "no");
			break;
		case CONF_CHOICE:
			buf_addf(out, "%s = %s\n", dot + 1,
			    keys[i].choices[*(const int *)p]);
			break;
		case CONF_PAIRS: {
			const struct conf_pairs *pairs = p;

			for (j = 0; j < pairs->n; j++)
				buf_addf(out, "%s = %s\n", pairs->names[j],
				    pairs->values[j]);
			break;
		}
		}
	}
}

/* Frees what conf_load() allocated in the struct; may be called twice. */
void
conf_free(void *conf, const struct conf_key *keys, size_t nkeys)
{
	struct conf_pairs *pairs;
	size_t i, j;
	void *p;

	for (i = 0; i < nkeys; i++) {
		p = field(conf, &keys[i]);
		if (keys[i].type == CONF_STRING) {
			free(*(char **)p);
			*(char **)p = NULL;
		} else if (keys[i].type == CONF_PAIRS) {
			pairs = p;
			for (j = 0; j < pairs->n; j++) {
				free(pairs->names[j]);
				free(pairs->values[j]);
			}
			free(pairs->names);
			free(pairs->values);
			memset(pairs, 0, sizeof(*pairs));
		}
	}
}
