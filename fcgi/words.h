/*
 * All words of the pages, and how a language writes numbers and dates.  A
 * second language is a second file like words_en.c.
 *
 * Words are text that is safe in HTML.  {1}, {2}, ... in them are places for
 * what the caller gives, as HTML; a pair _ONE, _MANY is chosen by a number.
 */
#ifndef TURNOUT_FCGI_WORDS_H
#define TURNOUT_FCGI_WORDS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

#define WORDS_NUMBER_LEN 40

enum word {
	/* every page */
	W_SITE,
	W_TO_BOARD,
	W_SEARCH_LABEL,
	W_SEARCH_HINT,
	W_SEARCH_BUTTON,
	W_STALE,
	W_UNNAMED,
	W_UNKNOWN,
	W_RSVPS,
	W_PEOPLE,
	W_EVENT,
	W_GROUP,
	W_PLACE,
	W_STARTS,
	W_RANK,
	W_RANGE,
	/* a problem, by its status */
	W_PROBLEM_400,
	W_PROBLEM_404,
	W_PROBLEM_405,
	W_PROBLEM_414,
	W_PROBLEM_503,
	W_PROBLEM_OTHER,
	W_PROBLEM_PARAMETER,
	W_PROBLEM_ALLOWED,
	W_PROBLEM_RETRY,
	W_PROBLEM_STATUS,
	/* what an answer tells of itself */
	W_AS_OF,
	W_LAG_UNKNOWN,
	W_LAG_NONE,
	W_LAG_NONE_SEEN,
	W_LAG_NONE_OLD,
	W_LAG_ONE,
	W_LAG_MANY,
	W_LAG_BEHIND_ONE,
	W_LAG_BEHIND_MANY,
	W_SPAN_SECONDS,
	W_SPAN_MINUTES,
	W_SPAN_HOURS,
	W_SPAN_DAYS,
	/* ranges */
	W_LAST_MINUTE_ONE,
	W_LAST_MINUTE_MANY,
	W_LAST_HOUR_ONE,
	W_LAST_HOUR_MANY,
	W_LAST_DAY_ONE,
	W_LAST_DAY_MANY,
	W_LAST,
	W_RANGE_ALL,
	W_RANGE_LAST,
	W_RANGE_FROM_TO,
	W_RANGE_DAY,
	W_SHORT_MINUTES,
	W_SHORT_HOURS,
	W_SHORT_DAYS,
	W_SHORT_ALL,
	/* the board */
	W_BOARD_TITLE,
	W_BOARD_H1,
	W_BOARD_LEAD,
	W_CAPTION_RSVPS_ONE,
	W_CAPTION_RSVPS_MANY,
	W_CAPTION_PEOPLE_ONE,
	W_CAPTION_PEOPLE_MANY,
	W_FILTER_COUNTRY,
	W_FILTER_CITY,
	W_FILTER_GROUP,
	W_FILTER_TOPIC,
	W_FILTER_UPCOMING,
	W_FILTER_WEEK,
	W_FILTER_PAST,
	W_DAY_PLOT,
	W_UP_ONE,
	W_UP_MANY,
	W_DOWN_ONE,
	W_DOWN_MANY,
	W_SAME,
	W_NEW,
	W_NEW_WORDS,
	W_PLOT_ONE,
	W_PLOT_MANY,
	W_PLOT_NONE,
	W_PLOT_TOO_MANY,
	/* its form */
	W_FORM_LABEL,
	W_FORM_BY,
	W_FORM_WINDOW,
	W_FORM_COUNTRY,
	W_FORM_CITY,
	W_FORM_GROUP,
	W_FORM_TOPIC,
	W_FORM_WHEN,
	W_FORM_WHEN_ANY,
	W_FORM_WHEN_UPCOMING,
	W_FORM_WHEN_WEEK,
	W_FORM_WHEN_PAST,
	W_FORM_K,
	W_FORM_ANY,
	W_FORM_SHOW,
	W_FORM_RESET,
	W_FORM_UNTIL,
	W_FORM_MORE,
	W_SUGGEST_ONE,
	W_SUGGEST_MANY,
	W_SUGGEST_LEAST_ONE,
	W_SUGGEST_LEAST_MANY,
	/* below it */
	W_EMPTY,
	W_EMPTY_RANGE,
	W_EMPTY_HINT_LATEST,
	W_EMPTY_HINT_WIDER,
	W_TIE_RSVPS_ONE,
	W_TIE_RSVPS_MANY,
	W_TIE_PEOPLE_ONE,
	W_TIE_PEOPLE_MANY,
	W_TIE_RSVPS_SOME,
	W_TIE_PEOPLE_SOME,
	W_TIE_RSVPS_LEAST,
	W_TIE_PEOPLE_LEAST,
	W_PART_BEFORE,
	W_PART_RUNNING,
	W_PART_FUTURE,
	W_SHOW_FIRST,
	W_MOVES,
	W_MOVES_ALL,
	W_MOVES_NOTHING,
	W_MOVES_PART,
	W_NO_PLOTS,
	W_PLOTS,
	W_HOW,
	W_HOW_ORDER,
	W_LINK_JSON,
	W_LINK_CSV,
	/* what the script says */
	W_LIVE_PAUSE,
	W_LIVE_PAUSED,
	W_LIVE_CHANGED,
	W_LIVE_AWAY,
	W_LIVE_OLD,
	/* an event */
	W_VENUE,
	W_MAP,
	W_MAP_SITE,
	W_ITS_PAGE,
	W_EVENT_ID,
	W_EVENT_HOW,
	W_EVENT_JSON,
	W_HISTORY,
	W_HISTORY_DAY,
	W_HISTORY_WEEK,
	W_HISTORY_MONTH,
	W_HISTORY_EVERY_DAY,
	W_HISTORY_EVERY_WEEK,
	W_HISTORY_EVERY_MONTH,
	W_HISTORY_NONE,
	W_HISTORY_CUT,
	W_HISTORY_TABLE,
	W_HISTORY_ZEROS,
	W_RANKS,
	W_RANKS_CAPTION,
	W_RANK_BEYOND,
	W_RANK_ABSENT,
	W_RANK_UNKNOWN,
	W_NEIGHBOURS_CAPTION,
	W_THIS_EVENT,
	W_OTHERS,
	W_OTHERS_NONE,
	/* a group, a venue */
	W_ON,
	W_UPCOMING,
	W_RECENT,
	W_UNDATED,
	W_PART_CUT,
	W_NOTHING_ON,
	W_GROUP_BOARD,
	W_GROUP_JSON,
	W_VENUE_JSON,
	W_VENUE_KIND,
	W_GROUP_KIND,
	/* a search */
	W_SEARCH_TITLE,
	W_SEARCH_EMPTY,
	W_SEARCH_NONE,
	W_SEARCH_ONE,
	W_SEARCH_MANY,
	W_SEARCH_CUT,
	W_SEARCH_JSON,
	/* the status */
	W_STATUS_TITLE,
	W_STATUS_POOL,
	W_STATUS_WORKERS,
	W_STATUS_BUSY,
	W_STATUS_IDLE,
	W_STATUS_LONGEST,
	W_STATUS_REQUESTS,
	W_STATUS_5XX,
	W_STATUS_STALE,
	W_STATUS_DIED,
	W_STATUS_KILLED,
	W_STATUS_AVERAGE,
	W_STATUS_CACHE,
	W_STATUS_NO_CACHE,
	W_STATUS_NODE,
	W_STATUS_NODE_STATE,
	W_STATUS_NODE_FINE,
	W_STATUS_NODE_OPEN,
	W_STATUS_LOOKS,
	W_STATUS_FOUND,
	W_STATUS_DB,
	W_STATUS_DB_FINE,
	W_STATUS_DB_AWAY,
	W_STATUS_INGEST,
	W_STATUS_NO_STREAM,
	W_STATUS_PARTITION,
	W_STATUS_NEXT,
	W_STATUS_END,
	W_STATUS_LAG,
	W_STATUS_CHECKED,
	W_STATUS_STOPPED,
	W_STATUS_LETTERS,
	W_STATUS_NO_LETTERS,
	W_STATUS_REASON,
	W_STATUS_COUNT,
	W_STATUS_LAST,
	W_STATUS_LETTERS_CUT,
	W_STATUS_MS,
	WORDS
};

struct language {
	const char *tag;       /* of the attribute lang */
	const char *thousands; /* between groups of three digits */
	const char *point;     /* before tenths */
	const char *days[7];   /* short, Sunday first */
	const char *months[12];
	const char *date;	/* {1} day of the week, {2} day, {3} month,
				   {4} year */
	const char *date_short; /* {1} day, {2} month */
	const char *date_time;	/* {1} date, {2} time */
	int (*plural)(int64_t); /* 0 = _ONE, 1 = _MANY */
	const char *words[WORDS];
};

extern const struct language words_en;

const char *word(enum word);
const char *words_tag(void);
enum word words_form(enum word one, int64_t n);
const char *words_number(char out[WORDS_NUMBER_LEN], int64_t);
void words_date(struct buf *, int64_t wall_ms);
void words_date_short(struct buf *, int64_t wall_ms);
void words_date_time(struct buf *, int64_t wall_ms, bool seconds);
void words_add(struct buf *, enum word, ...) __attribute__((sentinel));
void words_add_n(struct buf *, enum word one, int64_t n);
void words_span(struct buf *, int64_t ms);

#endif
