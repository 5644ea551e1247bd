/* The page for operators. */
#include "config.h"

#include "fcgi/details.h"
#include "fcgi/html.h"
#include "fcgi/status.h"
#include "fcgi/words.h"
#include "lib/attr.h"
#include "lib/buf.h"

static void
add_row(struct buf *b, enum word w, int64_t n)
{
	buf_addf(b, "<tr>\n<th scope=\"row\">%s</th>\n<td class=\"count\">",
	    word(w));
	html_number(b, n);
	buf_adds(b, "</td>\n</tr>\n");
}

static void
add_ms(struct buf *b, enum word w, int64_t ms)
{
	char number[WORDS_NUMBER_LEN];

	buf_addf(b, "<tr>\n<th scope=\"row\">%s</th>\n<td class=\"count\">",
	    word(w));
	words_add(b, W_STATUS_MS, words_number(number, ms), NULL);
	buf_adds(b, "</td>\n</tr>\n");
}

/* A table of more columns than a phone has room for becomes a list there. */
static void
begin_table(struct buf *b, enum word caption, const enum word *columns,
    size_t n, size_t texts)
{
	size_t i;

	buf_addf(b, "<table class=\"%s\">\n<caption>%s</caption>\n",
	    n > 2 ? "list" : "facts", word(caption));
	if (n > 0)
		buf_adds(b, "<thead>\n<tr>\n");
	for (i = 0; i < n; i++)
		buf_addf(b, "<th scope=\"col\"%s>%s</th>\n",
		    i < texts ? "" : " class=\"count\"", word(columns[i]));
	buf_adds(b, n > 0 ? "</tr>\n</thead>\n<tbody>\n" : "<tbody>\n");
}

static void
end_table(struct buf *b)
{
	buf_adds(b, "</tbody>\n</table>\n");
}

static void
add_pool(struct buf *b, const struct status *s)
{
	const int64_t *n = s->scores;
	const int64_t requests = n[SCORE_REQUESTS_2XX] + n[SCORE_REQUESTS_304] +
	    n[SCORE_REQUESTS_4XX] + n[SCORE_REQUESTS_5XX];

	begin_table(b, W_STATUS_POOL, NULL, 0, 0);
	add_row(
	    b, W_STATUS_WORKERS, n[SCORE_WORKERS_IDLE] + n[SCORE_WORKERS_BUSY]);
	add_row(b, W_STATUS_BUSY, n[SCORE_WORKERS_BUSY]);
	add_row(b, W_STATUS_IDLE, n[SCORE_WORKERS_IDLE]);
	add_ms(b, W_STATUS_LONGEST, s->longest_ms);
	add_row(b, W_STATUS_REQUESTS, requests);
	add_row(b, W_STATUS_5XX, n[SCORE_REQUESTS_5XX]);
	add_row(b, W_STATUS_STALE, n[SCORE_STALE_SERVED]);
	add_ms(b, W_STATUS_AVERAGE,
	    n[SCORE_TOOK_COUNT] == 0
		? 0
		: n[SCORE_TOOK_US] / n[SCORE_TOOK_COUNT] / 1000);
	add_row(b, W_STATUS_DIED, n[SCORE_DIED]);
	add_row(b, W_STATUS_KILLED, n[SCORE_KILLED]);
	end_table(b);
}

static void
add_looks(struct buf *b, const int64_t *n)
{
	static const enum score looks[] = { SCORE_CACHE_FRESH,
		SCORE_CACHE_STALE, SCORE_CACHE_REFILL, SCORE_CACHE_MISS };
	char numbers[NITEMS(looks)][WORDS_NUMBER_LEN], all[WORDS_NUMBER_LEN];
	int64_t total = 0;
	size_t i;

	for (i = 0; i < NITEMS(looks); i++) {
		total += n[looks[i]];
		words_number(numbers[i], n[looks[i]]);
	}
	buf_addf(b, "<p class=\"note\">%s: ", word(W_STATUS_LOOKS));
	words_add(b, W_STATUS_FOUND, words_number(all, total), numbers[0],
	    numbers[1], numbers[2], numbers[3], NULL);
	buf_adds(b, "</p>\n");
}

static void
add_cache(struct buf *b, const struct status *s)
{
	static const enum word columns[] = { W_STATUS_NODE,
		W_STATUS_NODE_STATE };
	const int64_t *n = s->scores;
	char open[WORDS_NUMBER_LEN], all[WORDS_NUMBER_LEN];
	size_t i;

	if (s->nnodes == 0) {
		buf_addf(b, "<h2>%s</h2>\n<p class=\"note\">%s</p>\n",
		    word(W_STATUS_CACHE), word(W_STATUS_NO_CACHE));
		return;
	}
	begin_table(b, W_STATUS_CACHE, columns, NITEMS(columns), 2);
	for (i = 0; i < s->nnodes; i++) {
		buf_adds(b, "<tr>\n<th scope=\"row\">");
		html_text(b, s->nodes[i].name);
		buf_adds(b, "</th>\n<td>");
		if (s->nodes[i].open == 0)
			buf_adds(b, word(W_STATUS_NODE_FINE));
		else
			words_add(b, W_STATUS_NODE_OPEN,
			    words_number(open, s->nodes[i].open),
			    words_number(all,
				n[SCORE_WORKERS_IDLE] + n[SCORE_WORKERS_BUSY]),
			    NULL);
		buf_adds(b, "</td>\n</tr>\n");
	}
	end_table(b);
	add_looks(b, n);
}

static void
add_number_or_not(struct buf *b, int64_t n, enum word label)
{
	buf_adds(b, "<td class=\"count\"");
	html_attr(b, "data-label", word(label));
	buf_addc(b, '>');
	if (n == DETAILS_ABSENT)
		buf_adds(b, word(W_UNKNOWN));
	else
		html_number(b, n);
	buf_adds(b, "</td>\n");
}

/* What happened, and the command that continues, below the table. */
static void
add_stopped(struct buf *b, const struct status_partition *p)
{
	buf_adds(b, "<p class=\"stale\">");
	html_text(b, p->topic);
	buf_addf(b, "[%lld] %s: ", (long long)p->part, word(W_STATUS_STOPPED));
	html_text(b, p->stopped_why);
	buf_adds(b, "</p>\n");
}

static void
add_partitions(struct buf *b, const struct status *s)
{
	static const enum word columns[] = { W_STATUS_PARTITION,
		W_STATUS_CHECKED, W_STATUS_NEXT, W_STATUS_END, W_STATUS_LAG };
	const struct status_partition *p;
	size_t i;

	if (s->npartitions == 0) {
		buf_addf(b, "<h2>%s</h2>\n<p class=\"note\">%s</p>\n",
		    word(W_STATUS_INGEST), word(W_STATUS_NO_STREAM));
		return;
	}
	begin_table(b, W_STATUS_INGEST, columns, NITEMS(columns), 2);
	for (i = 0; i < s->npartitions; i++) {
		p = &s->partitions[i];
		buf_adds(b, "<tr>\n<th scope=\"row\">");
		html_text(b, p->topic);
		buf_addf(b, "[%lld]</th>\n<td", (long long)p->part);
		html_attr(b, "data-label", word(W_STATUS_CHECKED));
		buf_addc(b, '>');
		if (p->checked_ms == DETAILS_ABSENT)
			buf_adds(b, word(W_UNKNOWN));
		else
			html_time(b, p->checked_ms);
		buf_adds(b, "</td>\n");
		add_number_or_not(b, p->next_offset, W_STATUS_NEXT);
		add_number_or_not(b, p->end, W_STATUS_END);
		add_number_or_not(b, p->lag, W_STATUS_LAG);
		buf_adds(b, "</tr>\n");
	}
	end_table(b);
	for (i = 0; i < s->npartitions; i++)
		if (s->partitions[i].stopped_why != NULL)
			add_stopped(b, &s->partitions[i]);
}

static void
add_letters(struct buf *b, const struct status *s)
{
	static const enum word columns[] = { W_STATUS_REASON, W_STATUS_LAST,
		W_STATUS_COUNT };
	char number[WORDS_NUMBER_LEN];
	size_t i;

	if (s->nreasons == 0) {
		buf_addf(b, "<h2>%s</h2>\n<p class=\"note\">%s</p>\n",
		    word(W_STATUS_LETTERS), word(W_STATUS_NO_LETTERS));
		return;
	}
	begin_table(b, W_STATUS_LETTERS, columns, NITEMS(columns), 2);
	for (i = 0; i < s->nreasons; i++) {
		buf_adds(b, "<tr>\n<th scope=\"row\"><code>");
		html_text(b, s->reasons[i].reason);
		buf_adds(b, "</code></th>\n<td>");
		html_time(b, s->reasons[i].last_ms);
		buf_adds(b, "</td>\n");
		add_number_or_not(b, s->reasons[i].letters, W_STATUS_COUNT);
		buf_adds(b, "</tr>\n");
	}
	end_table(b);
	if (!s->letters_cut)
		return;
	buf_adds(b, "<p class=\"note\">");
	words_add(b, W_STATUS_LETTERS_CUT, words_number(number, STATUS_LETTERS),
	    NULL);
	buf_adds(b, "</p>\n");
}

/* Renders the page /status. */
void
status_html(struct response *out, const struct status *s)
{
	const struct html_page page = { .title = word(W_STATUS_TITLE),
		.base = "" };
	struct buf *b = &out->body;

	out->type = RESPONSE_HTML;
	html_page_begin(b, &page);
	buf_addf(b, "<h1>%s</h1>\n", word(W_STATUS_TITLE));
	if (s->away) {
		buf_addf(b, "<p class=\"stale\">%s: %s</p>\n",
		    word(W_STATUS_DB), word(W_STATUS_DB_AWAY));
	} else {
		buf_addf(b, "<p class=\"note\">%s: %s</p>\n", word(W_STATUS_DB),
		    word(W_STATUS_DB_FINE));
		answer_html(b, &s->answer);
	}
	buf_adds(b, "<div class=\"columns\">\n<div>\n");
	add_pool(b, s);
	buf_adds(b, "</div>\n<div>\n");
	add_cache(b, s);
	buf_adds(b, "</div>\n");
	if (!s->away) {
		buf_adds(b, "<div>\n");
		add_partitions(b, s);
		buf_adds(b, "</div>\n<div>\n");
		add_letters(b, s);
		buf_adds(b, "</div>\n");
	}
	buf_adds(b, "</div>\n");
	html_page_end(b);
	out->status = 200;
}
