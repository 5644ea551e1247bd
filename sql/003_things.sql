-- What is held by a group, and at a venue, in order of its start.  A repeated
-- message changes only src_* of an event, none of which is indexed, so its
-- updates stay heap-only.
CREATE INDEX events_group ON events (group_id, starts_ms);
-- An event without a venue is not looked for here.
CREATE INDEX events_venue ON events (venue_id, starts_ms) WHERE venue_id IS NOT NULL;
