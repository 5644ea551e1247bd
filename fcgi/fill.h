/* Who fills the answers: one function a route (see fcgi/route.c). */
#ifndef TURNOUT_FCGI_FILL_H
#define TURNOUT_FCGI_FILL_H

#include "fcgi/route.h"

enum fill topk_fill_api(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill topk_fill_html(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill event_fill_json(struct response *, const struct request *,
    struct db *, int timeout_ms) MUSTCHECK;
enum fill event_fill_html(struct response *, const struct request *,
    struct db *, int timeout_ms) MUSTCHECK;
enum fill history_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill rank_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill search_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill search_fill_html(struct response *, const struct request *,
    struct db *, int timeout_ms) MUSTCHECK;
enum fill group_fill_html(struct response *, const struct request *,
    struct db *, int timeout_ms) MUSTCHECK;
enum fill venue_fill_html(struct response *, const struct request *,
    struct db *, int timeout_ms) MUSTCHECK;
enum fill status_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill topics_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill cities_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill countries_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill v1_topk_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill v1_info_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill group_fill_json(struct response *, const struct request *,
    struct db *, int timeout_ms) MUSTCHECK;
enum fill venue_fill_json(struct response *, const struct request *,
    struct db *, int timeout_ms) MUSTCHECK;
enum fill member_fill_json(struct response *, const struct request *,
    struct db *, int timeout_ms) MUSTCHECK;

#endif
