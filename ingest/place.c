/* Whether a partition can be read on; see place.h. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "ingest/place.h"
#include "lib/buf.h"

/* Was a record applied whose fingerprint can be compared? */
bool
place_has_record(const struct offset_row *row)
{
	return row->last_offset != INT64_MIN;
}

/* A row without a cluster belongs to whichever is there. */
enum place_fault
place_cluster(const struct offset_row *row, const char *cluster_id)
{
	return row->cluster_id[0] == '\0' ||
		strcmp(row->cluster_id, cluster_id) == 0
	    ? PLACE_OK
	    : PLACE_CLUSTER;
}

/* Does a log that holds low..high-1 go on at next_offset? */
enum place_fault
place_range(int64_t next_offset, int64_t low, int64_t high)
{
	return next_offset > high ? PLACE_CUT
	    : next_offset < low	  ? PLACE_GONE
				  : PLACE_OK;
}

/* Is the first record from last_offset on still the one that was applied? */
enum place_fault
place_record(const struct offset_row *row, const struct place_record *found)
{
	if (found->offset != row->last_offset)
		return PLACE_MISSING;
	return found->ts == row->last_ts && found->crc == row->last_crc
	    ? PLACE_OK
	    : PLACE_CHANGED;
}

/* Nobody has changed the place of a partition between the two? */
bool
place_same_row(const struct offset_row *a, const struct offset_row *b)
{
	return a->next_offset == b->next_offset &&
	    a->last_offset == b->last_offset && a->last_ts == b->last_ts &&
	    a->last_crc == b->last_crc &&
	    strcmp(a->cluster_id, b->cluster_id) == 0;
}

static void
say_command(const struct offset_row *row, const char *to, struct buf *b)
{
	buf_addf(b,
	    "; continue with: turnout-ingest offsets set --partition %d "
	    "--expect %lld --to %s --reason '...'",
	    (int)row->part, (long long)row->next_offset, to);
}

/*
 * Adds what is wrong with a row, and the command that continues.  Where the
 * log is not the one that was read, that is all of it from its beginning:
 * what was applied once changes nothing when it comes again.  So it is where
 * its beginning has gone, which moves on until somebody types the command.
 */
void
place_say(
    const struct place *place, const struct offset_row *row, struct buf *b)
{
	const char *to = "low";

	switch (place->fault) {
	case PLACE_OK:
		return;
	case PLACE_CLUSTER:
		buf_addf(b, "it belongs to Kafka cluster %s, and this is %s",
		    row->cluster_id, place->cluster_id);
		break;
	case PLACE_CUT:
		buf_addf(b,
		    "the log ends at %lld, before it: it was cut, or the "
		    "topic was made anew",
		    (long long)place->high);
		break;
	case PLACE_GONE:
		buf_addf(b,
		    "the log begins at %lld: records %lld to %lld are gone",
		    (long long)place->low, (long long)row->next_offset,
		    (long long)place->low - 1);
		break;
	case PLACE_CHANGED:
		buf_addf(b,
		    "record %lld is not the one that was applied: the topic "
		    "was made anew, or its log was cut",
		    (long long)row->last_offset);
		break;
	case PLACE_MISSING:
		buf_addf(b, "record %lld, the last one applied, is gone",
		    (long long)row->last_offset);
		break;
	case PLACE_CORRUPT:
		buf_adds(b, "a record at or after it is corrupt");
		to = "OFFSET-BEHIND-IT";
		break;
	}
	say_command(row, to, b);
}
