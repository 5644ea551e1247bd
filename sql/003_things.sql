-- What is held by a group, and at a venue: their busiest events are looked up
-- by these.  A repeated message changes only src_* of an event, none of which
-- is indexed, so its updates stay heap-only.
CREATE INDEX events_group ON events (group_id);
-- An event without a venue is not looked for here.
CREATE INDEX events_venue ON events (venue_id) WHERE venue_id IS NOT NULL;
