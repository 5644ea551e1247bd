/* Boards, ranks, an event and a group to render: honest, hostile, and empty. */
#ifndef TURNOUT_TESTS_BOARDS_H
#define TURNOUT_TESTS_BOARDS_H

struct event;
struct event_page;
struct history;
struct rank;
struct search;
struct thing;
struct thing_page;
struct topk;

void boards_full(struct topk *);
void boards_window(struct topk *);
void boards_empty(struct topk *);
void boards_rank(struct rank *);
void boards_search(struct search *);
void boards_history(struct history *);
void boards_event(struct event *);
void boards_event_page(struct event_page *);
void boards_venue_page(struct thing_page *);
void boards_group_page(struct thing_page *);
void boards_group(struct thing *);

#endif
