/* The version rule: a ladder, on which every rung beats all below it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/rsvp.h"
#include "ingest/version.h"

/* Each rung differs from the last in the field that decides; what comes
 * after it in the rule would decide otherwise. */
static const struct rung {
	int64_t mtime_ms;
	int response, guests;
	const char *event_id;
	int64_t member_id;
} ladder[] = {
	{ 1489925470499, 2, 9, "z", 9 }, /* the last ms of second ...470 */
	{ 1489925471000, 0, RSVP_ABSENT, "a", RSVP_ABSENT }, /* a copy */
	{ 1489925470500, 0, RSVP_ABSENT, "a", 3 }, /* exact: the copy's own */
	{ 1489925470960, 0, RSVP_ABSENT, "a", RSVP_ABSENT },
	{ 1489925470960, 0, RSVP_ABSENT, "a", 0 },
	{ 1489925470960, 0, RSVP_ABSENT, "a", 3 },
	{ 1489925470960, 0, RSVP_ABSENT, "aa", 2 },
	{ 1489925470960, 0, RSVP_ABSENT, "b", 1 },
	{ 1489925470960, 0, RSVP_ABSENT, "b\xc3", 1 },
	{ 1489925470960, 0, 0, "a", 1 },
	{ 1489925470960, 0, 1000, "Z", 1 },
	{ 1489925470960, 1, 0, "a", 1 },
	{ 1489925470960, 2, 0, "a", 1 },
	{ 1489925471001, 0, 0, "a", 1 },
	{ 1489925471499, 0, 0, "a", 1 },
	{ 1489925472000, 0, 0, "a", 1 },
};

static struct version
version_of(const struct rung *r)
{
	return (struct version){ .mtime_ms = r->mtime_ms,
		.response = r->response,
		.guests = r->guests,
		.event_id = r->event_id,
		.event_id_len = strlen(r->event_id),
		.member_id = r->member_id };
}

static void
every_rung_beats_all_below_it(void **state)
{
	const size_t n = sizeof(ladder) / sizeof(ladder[0]);
	struct version a, b;
	size_t i, j;
	int c;

	(void)state;
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			a = version_of(&ladder[i]);
			b = version_of(&ladder[j]);
			c = version_compare(&a, &b);
			if ((c > 0) != (i > j) || (c < 0) != (i < j))
				fail_msg("rung %zu against %zu: %d", i, j, c);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rung_beats_all_below_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
