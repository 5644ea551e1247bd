/* Which Redis node keeps a key; see ring.h. */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "fcgi/ring.h"
#include "lib/conf.h"
#include "lib/xalloc.h"

/* "unix:/path", "a.b.c.d:port" or "[v6]:port"; no names: they may block. */
static int
parse_node(struct ring_node *node, const char *text, const char **why)
{
	unsigned char addr[16];
	const char *colon = strrchr(text, ':');
	long port;
	char *host;

	if (strncmp(text, "unix:/", 6) == 0) {
		node->host = xstrdup(text + 5);
		node->port = 0;
		node->name = xstrdup(text);
		return 0;
	}
	if (colon == NULL || conf_number(&port, colon + 1, 1, 65535) == -1) {
		*why = "a node must be unix:/path or address:port";
		return -1;
	}
	if (text[0] == '[' && colon > text + 1 && colon[-1] == ']')
		host = xstrndup(text + 1, (size_t)(colon - text) - 2);
	else
		host = xstrndup(text, (size_t)(colon - text));
	if (inet_pton(AF_INET, host, addr) != 1 &&
	    inet_pton(AF_INET6, host, addr) != 1) {
		*why = "a node's address must be a number, not a name";
		free(host);
		return -1;
	}
	node->host = host;
	node->port = (int)port;
	node->name = xstrdup(text);
	return 0;
}

static int
add(struct ring *ring, const char *text, const char **why)
{
	int i;

	if (ring->n == RING_MAX) {
		*why = "there are more than 16 nodes";
		return -1;
	}
	for (i = 0; i < ring->n; i++) {
		if (strcmp(ring->nodes[i].name, text) == 0) {
			*why = "a node is named twice";
			return -1;
		}
	}
	if (parse_node(&ring->nodes[ring->n], text, why) == -1)
		return -1;
	ring->n++;
	return 0;
}

/*
 * Reads nodes separated by spaces; none is fine.  Returns 0, or -1 with a
 * static sentence in *why and nothing to be freed.
 */
int
ring_init(struct ring *ring, const char *nodes, const char **why)
{
	char *copy = xstrdup(nodes), *save = NULL, *word;
	int rc = 0;

	memset(ring, 0, sizeof(*ring));
	for (word = strtok_r(copy, " \t", &save); word != NULL && rc == 0;
	     word = strtok_r(NULL, " \t", &save))
		rc = add(ring, word, why);
	free(copy);
	if (rc == -1)
		ring_free(ring);
	return rc;
}

/* The index of the key's node; -1 when there is none at all. */
int
ring_node(const struct ring *ring, const char *key, size_t len)
{
	uint64_t hash = XXH3_64bits(key, len), score, best = 0;
	int i, winner = -1;

	for (i = 0; i < ring->n; i++) {
		score = XXH64(
		    ring->nodes[i].name, strlen(ring->nodes[i].name), hash);
		if (winner == -1 || score > best) {
			best = score;
			winner = i;
		}
	}
	return winner;
}

void
ring_free(struct ring *ring)
{
	int i;

	for (i = 0; i < ring->n; i++) {
		free(ring->nodes[i].name);
		free(ring->nodes[i].host);
	}
	memset(ring, 0, sizeof(*ring));
}
