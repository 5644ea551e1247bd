"""Two captures of the real stream, through real Kafka, judged by the oracle."""

import oracle
import requests
import state
from kafka import out
from messages import message
from stacklib import proc
from world import lines_of


def numbers(have):
    yes = sum(r.response == "yes" for r in have.rsvps.values())
    events = {r.event_id for r in have.rsvps.values()}
    return len(have.rsvps), yes, len(events)


def board(url, **parameters):
    answer = requests.get(url + "/api/topk", params=parameters, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_capture_gives_the_rows_and_the_board_it_is_known_for(
        kafka, world, capture):
    known, path = capture
    w = world(kafka)
    w.ingest()
    w.feed(path)
    want, have = w.judge()
    assert numbers(have) == (known.rsvps, known.yes, known.events)
    assert not have.bad

    url = w.serve()
    first = board(url, k=2)
    assert [(e["event_id"], e["rsvps"]) for e in first["events"]] \
        == known.first
    if known.tie_at_5 is not None:
        assert board(url, k=5)["tie_at_cutoff"] is known.tie_at_5
    for by in ("rsvps", "headcount"):
        for k in (1, 5, 10, 1000):
            answer = board(url, k=k, by=by)
            rows, tie = want.board(k, by)
            assert [(e["rank"], e["event_id"], e["rsvps"], e["headcount"])
                    for e in answer["events"]] == rows
            assert answer["tie_at_cutoff"] is tie


def test_a_board_shows_the_details_of_its_events(kafka, world, one_capture):
    w = world(kafka)
    w.ingest()
    w.feed(one_capture[1])
    want, _ = w.judge()
    answer = board(w.serve(), k=200)
    assert answer["lag"]["messages"] == 0
    assert 0 <= answer["lag"]["seconds"] < 30
    assert answer["version"] == sum(w.stored().values())
    for found in answer["events"]:
        event = want.details["event", found["event_id"]]
        group = want.details["group", event.group_id]
        assert (found["name"], found["url"]) == (event.name, event.url)
        assert (found["group"]["group_id"], found["group"]["name"],
                found["group"]["urlname"], found["group"]["city"],
                found["group"].get("state"), found["group"]["country"]) == (
                    event.group_id, group.name, group.urlname, group.city,
                    group.state, group.country)
        if event.venue_id is None:
            assert found.get("venue") is None
        else:
            venue = want.details["venue", event.venue_id]
            assert (found["venue"]["venue_id"], found["venue"]["name"],
                    found["venue"]["lat"], found["venue"]["lon"]) == (
                        event.venue_id, *venue)


def test_a_second_feed_of_the_same_file_changes_nothing(
        kafka, world, one_capture):
    w = world(kafka)
    w.ingest()
    w.feed(one_capture[1])
    _, before = w.judge()
    w.feed(one_capture[1])
    _, after = w.judge()
    assert state.unlike("rsvps", before.rsvps, after.rsvps) == []
    assert state.unlike("details", before.details, after.details) == []
    assert (before.counts, before.days) == (after.counts, after.days)


def test_a_shuffled_capture_gives_the_same_state(
        kafka, world, one_capture, dice):
    lines = lines_of(one_capture[1])
    known = oracle.state_of_file(lines)
    dice.shuffle(lines)
    w = world(kafka)
    w.ingest()
    w.produce([out(line) for line in lines])
    _, have = w.judge()
    assert state.differences(known, have, details=False) == []


def test_a_capture_split_at_random_over_4_partitions_gives_the_same_state(
        kafka, world, capture, dice):
    """All at one timestamp, so that partition and offset decide on details."""
    lines = lines_of(capture[1])
    w = world(kafka, partitions=4)
    w.produce([out(line, partition=dice.randrange(4), ts=1790000000000)
               for line in lines], wait=False)
    w.ingest()
    w.wait_stored(w.ends())
    _, have = w.judge()
    known = oracle.state_of_file(lines)
    assert state.differences(known, have, details=False) == []


def test_kafkafeed_keeps_an_rsvp_in_one_partition(kafka, world, one_capture):
    w = world(kafka, partitions=4)
    w.ingest()
    w.feed(one_capture[1], options=["--timestamps", "mtime"])
    places = {}
    for record in w.log():
        rsvp, _ = oracle.parse(record.value)
        assert record.ts == rsvp.mtime_ms
        assert places.setdefault(rsvp.rsvp_id, record.partition) \
            == record.partition
    assert len(set(places.values())) == 4
    w.judge()


def test_an_import_gives_what_kafka_gives(kafka, world, capture):
    w = world(kafka)
    w.ingest()
    w.feed(capture[1])
    _, streamed = w.judge()
    v = world(kafka)
    done = v.command("import", "-q", capture[1])
    assert done.returncode == 0, done.stderr
    imported = state.read(v.dsn)
    assert imported.rsvps == streamed.rsvps
    assert imported.counts == streamed.counts
    assert imported.days == streamed.days


def test_details_that_change_are_counted_and_dated(kafka, world):
    w = world(kafka, partitions=2)
    ingest = w.ingest()
    ts = 1790000000000
    name = 'turnout_ingest_details_changed_total{kind="event"}'
    look = "SELECT name, changed_at IS NOT NULL, src_ts FROM turnout.events"
    # A record's text, time and partition; then what stands, how often changed.
    steps = [("A", ts, 0, ("A", False, ts), 0),
             ("A", ts + 5, 0, ("A", False, ts + 5), 0),
             ("B", ts + 10, 1, ("B", True, ts + 10), 1),
             ("C", ts + 7, 0, ("B", True, ts + 10), 1),
             ("B", ts + 20, 0, ("B", True, ts + 20), 1),
             ("A", ts + 30, 1, ("A", True, ts + 30), 2)]
    for number, (text, when, partition, stands, changed) in enumerate(steps):
        w.produce([out(message(number + 1, "e1", text), partition=partition,
                       ts=when)])
        assert w.query(look) == [stands], number
        # It is counted just after the commit that was waited for.
        assert proc.wait_until(
            lambda n=changed: ingest.metrics()[name] == n, 10), number
    w.judge()


def test_details_that_are_not_as_the_daemon_remembers_are_written_whole(
        kafka, world):
    """Another daemon has changed them since, or somebody took them away."""
    w = world(kafka)
    ingest = w.ingest()
    all_of_it = {
        "venue": {"venue_id": 3, "venue_name": "Park", "lat": 1, "lon": 2},
        "member": {"member_id": 5, "member_name": "Jo"},
        "group": {"group_city": "Oslo", "group_topics": [
            {"urlkey": "hiking", "topic_name": "Hiking"}]}}
    ts = 1790000000000
    for number in (1, 2):
        w.produce([out(message(number, "e1", **all_of_it), ts=ts + number)])
    for table in ("events", "groups", "venues", "members"):
        w.query(f"UPDATE turnout.{table} SET name = 'other',"
                " content_hash = 1, src_ts = src_ts - 1")
    w.query("UPDATE turnout.groups SET city = 'other', topics = '[]'")
    w.produce([out(message(10, "e1", **all_of_it), ts=ts + 10)])
    w.judge()
    assert w.query("SELECT changed_at > 'epoch' FROM turnout.events"
                   " UNION ALL SELECT changed_at > 'epoch'"
                   " FROM turnout.groups") == [(True,), (True,)]
    for table in ("events", "groups", "venues", "members"):
        w.query(f"DELETE FROM turnout.{table}")
    w.produce([out(message(20, "e1", **all_of_it), ts=ts + 20)])
    w.judge()
    assert w.query("SELECT changed_at FROM turnout.groups") == [(None,)]
    name = 'turnout_ingest_details_changed_total{kind="%s"}'
    told = ingest.metrics()
    assert [told[name % kind] for kind in (
        "event", "group", "venue", "member")] == [1, 1, 1, 1]


def test_of_members_only_the_id_is_kept_when_they_are_not_stored(
        kafka, world, one_capture):
    w = world(kafka)
    w.ingest(store={"members": "no"})
    w.feed(one_capture[1])
    want = oracle.state_of(w.log())
    nobody = oracle.Member(None, None)
    want.details.update((name, nobody) for name in want.details
                        if name[0] == "member")
    wrong = state.differences(want, state.read(w.dsn))
    assert not wrong, "\n".join(wrong)
