"""A page for every state: what it says, and that it agrees with the API."""

import gzip
import os
import time
import urllib.parse

import pytest
import requests
from fixtures import SRC, started
from messages import message
from page import Page
from stacklib import proc
from world import World

HOUR = 3600000
DAY = 24 * HOUR
NOW = int(time.time() * 1000)
OSLO = {"group_id": 1, "group_name": "Walkers", "group_city": "Oslo",
        "group_country": "no",
        "group_topics": [{"urlkey": "hiking", "topic_name": "Hiking"}]}
BERGEN = {"group_id": 2, "group_name": "Readers", "group_city": "Bergen",
          "group_country": "no"}
VENUE = {"venue_id": 5, "venue_name": "Library", "lat": 60.39, "lon": 5.32}


def people(event, name, times, number, **more):
    """RSVPs at those times; their ids begin at number."""
    return [message(number + n, event, name, mtime=at, **more)
            for n, at in enumerate(times)]


def lines():
    """Today a leads b; in the 24 hours before b led a, and c was not."""
    today, before = NOW - 2 * HOUR, NOW - 30 * HOUR
    upcoming = {"time": NOW + 3 * DAY}
    found = people("a", "Walk", [today] * 5 + [before] * 2, 1000,
                   group=OSLO, **upcoming)
    found += people("b", "Book", [today] * 4 + [before] * 3, 2000,
                    group=BERGEN, venue=VENUE, time=NOW - 5 * DAY)
    found += people("c", "Coffee", [today] * 3, 3000, group=OSLO, guests=2)
    for n in range(4):
        found += people(f"tie{n}", f"Tie {n}", [NOW - 40 * DAY], 4000 + n,
                        group=BERGEN, venue=VENUE,
                        time=NOW + (n * n + 1) * DAY)
    return found + [message(5000, "gone", "Nobody", response="no",
                            mtime=today, group=OSLO), b"no message"]


@pytest.fixture(scope="module")
def site(tmp_path_factory, request):
    stack = started(broker="none", only=("postgres",))
    request.addfinalizer(stack.down)
    w = World(stack, "states")
    request.addfinalizer(w.end)
    path = tmp_path_factory.mktemp("states") / "states.ndjson"
    path.write_bytes(b"".join(line + b"\n" for line in lines()))
    done = w.command("import", "-q", str(path))
    assert done.returncode == 0, done.stderr
    w.url = w.serve()
    return w


def get(site, path, status=200):
    answer = requests.get(site.url + path, timeout=20)
    assert answer.status_code == status, (path, answer.text[:500])
    page = Page(answer.text)
    assert not page.wrong, page.wrong
    page.words = " ".join(page.text.split())
    return page


def rows(page):
    return [names["data-event"] for tag, names in page.elements
            if tag == "tr" and "data-event" in names]


def fields(page):
    """{name: value} that the board's form would send, and the hidden ones."""
    found, select = {}, None
    for tag, names in page.elements:
        if tag == "select":
            select = names["name"]
        elif tag == "option" and select and "selected" in names:
            found[select] = names["value"]
        elif tag == "input" and names["name"] != "q":
            found[names["name"]] = names["value"]
        elif tag == "datalist":
            select = None
    return found


def test_a_board_says_who_moved(site):
    page = get(site, "/?window=24h")
    assert rows(page) == ["a", "b", "c"]
    assert "1▲1, up 1 place" in page.words
    assert "2▼1, down 1 place" in page.words
    assert "3new, not among the first 100 before" in page.words
    assert "Movement is against the 24 hours before" in page.words
    assert "The 3 events with the most RSVPs of the last 24 hours" \
        in page.words
    board = requests.get(site.url + "/api/topk?window=24h", timeout=20).json()
    assert [e["previous_rank"] for e in board["events"]] == [2, 1, None]


def test_a_full_board_leads_to_more_and_a_short_one_does_not(site):
    page = get(site, "/?k=2&country=no")
    [more] = [link for link in page.links if "k=100&" in link]
    assert "Show the first 100" in page.words
    assert len(rows(get(site, "/" + more.removeprefix("./")))) > 2
    assert "Show the first" not in get(site, "/?k=100").words
    assert "Show the first" not in get(site, "/?k=1000").words


def test_all_time_has_no_movement(site):
    page = get(site, "/")
    assert "▲" not in page.words and "Movement" not in page.words
    assert "Who is moving up is told of a range" in page.words
    assert "of all time" in page.words


def test_a_board_of_what_nothing_came_before_says_so(site):
    page = get(site, "/?window=200d")
    assert "Nothing is stored of the 200 days before" in page.words
    assert "Only a part of this range is known: the earliest RSVP" \
        in page.words
    page = get(site, "/?window=30d")
    assert "of which only a part is stored" in page.words


@pytest.mark.parametrize("k, words", [
    (4, "3 more events have as many RSVPs"), (6, "1 more event has as many"),
    (7, None), (3, None)])
def test_a_tie_at_the_end_is_counted(site, k, words):
    page = get(site, f"/?k={k}")
    # A board that was slow is told without the count.
    assert ("last place is a tie" in page.words) == (words is not None)
    if words:
        assert words in page.words or "at least one more event" in page.words


def at(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))


def test_a_range_that_is_not_over_or_not_begun_says_so(site):
    page = get(site, f"/?from={at(NOW - DAY)}&to={at(NOW + DAY)}")
    assert rows(page) and "This range is not over: it runs to" in page.words
    page = get(site, f"/?from={at(NOW + DAY)}&to={at(NOW + 2 * DAY)}")
    assert "No event has an RSVP" in page.words
    assert "This range has not begun." in page.words
    assert "The latest RSVP that is stored was changed" in page.words
    assert "The same board of all time" in page.words
    page = get(site, f"/?from={at(NOW - DAY)}&to={at(NOW - HOUR)}")
    assert "This range" not in page.words


def test_an_empty_filter_is_not_an_empty_database(site):
    page = get(site, "/?city=Atlantis")
    assert "No event has an RSVP of all time, city Atlantis." \
        in page.words
    assert "not one RSVP" not in page.words


def test_nothing_at_all_says_so(site):
    w = World(site.stack, "nothing")
    try:
        w.url = w.serve()
        assert "No event has a yes yet: not one RSVP is counted." \
            in get(w, "/").words
    finally:
        w.end()


def test_the_plots_are_the_last_day_by_the_hour(site):
    page = get(site, "/?window=24h")
    assert "5 RSVPs in 24 hours, most in one hour 5, from" in page.words
    page = get(site, "/?k=101")
    assert "With more than 100 events the plots" in page.words
    assert "svg" not in page.tags()


@pytest.mark.parametrize("when, words, events", [
    ("upcoming", ", events to come", "a tie0 tie1 tie2 tie3"),
    ("week", ", events of the next 7 days", "a tie0 tie1 tie2"),
    ("past", ", events that have started", "b")])
def test_what_is_on_next_week_is_a_question(site, when, words, events):
    page = get(site, f"/?country=no&when={when}")
    assert words in page.words
    assert [event for event in rows(page) if event != "c"] == events.split()


ASKED = [
    ("window", "24h"), ("city", "OSLO"), ("country", "NO"), ("group", "1"),
    ("topic", "hiking"), ("when", "upcoming"), ("by", "headcount"),
    ("k", "7")]


def test_a_form_shows_what_was_asked_and_sends_it_again(site):
    page = get(site, "/?" + urllib.parse.urlencode(ASKED))
    assert rows(page) == ["a"]
    want = dict(ASKED)
    want["country"] = "no"
    assert fields(page) == want
    assert rows(get(site, "/?" + urllib.parse.urlencode(fields(page)))) \
        == ["a"]


@pytest.mark.parametrize("query", [
    {"date": at(NOW - 2 * HOUR)[:10]},
    {"from": at(NOW - DAY), "to": at(NOW - HOUR)},
    {"window": "24h", "to": at(NOW - HOUR)}, {"window": "90m"}])
def test_a_range_stays_when_the_form_is_sent(site, query):
    page = get(site, "/?" + urllib.parse.urlencode(query))
    sent = fields(page)
    assert {name: sent[name] for name in query} == query
    again = get(site, "/?" + urllib.parse.urlencode(sent))
    assert fields(again) == sent and rows(again) == rows(page)


def test_a_link_to_another_window_keeps_the_filter(site):
    page = get(site, "/?city=Oslo&window=24h")
    links = [dict(urllib.parse.parse_qsl(link[3:])) for link in page.links
             if link.startswith("./?k=")]
    assert {link.get("window") for link in links} >= {
        "1h", "24h", "7d", "30d", None}
    assert {link["city"] for link in links} == {"Oslo"}


def test_a_field_left_empty_is_not_given_to_a_page_only(site):
    query = "window=&by=rsvps&country=&city=&group=&topic=&when=any&k=10"
    assert rows(get(site, "/?" + query)) == rows(get(site, "/"))
    answer = requests.get(site.url + "/api/topk?" + query, timeout=20)
    assert answer.status_code == 400 and answer.json()["param"] == "window"
    get(site, "/?nothing=", status=400)
    get(site, "/?city", status=400)


def test_the_form_suggests_what_there_is(site):
    page = get(site, "/?k=11")
    values = [names["value"] for tag, names in page.elements
              if tag == "option"]
    assert {"Oslo", "Bergen", "no", "hiking"} <= set(values)
    assert "no, 1 group" in page.words and "2 groups" in page.words


def test_the_links_below_are_the_same_board(site):
    page = get(site, "/?window=24h&city=Oslo")
    links = [link for link in page.links if link.startswith("api/topk")]
    assert len(links) == 2
    board = requests.get(f"{site.url}/{links[0]}", timeout=20).json()
    assert [e["event_id"] for e in board["events"]] == rows(page)
    csv = requests.get(f"{site.url}/{links[1]}", timeout=20)
    assert csv.headers["Content-Type"].startswith("text/csv")


def test_the_front_page_is_light(site):
    sent = 0
    for path in ("/", "/static/style.css", "/static/app.js"):
        answer = requests.get(site.url + path, timeout=20,
                              headers={"Accept-Encoding": "gzip"},
                              stream=True)
        body = answer.raw.read()
        # nginx leaves what is tiny as it is.
        assert "Content-Encoding" in answer.headers or len(body) < 512, path
        sent += len(body)
    assert sent <= 25 * 1024
    # What the generator's long names would make of it: no more than this.
    style = os.path.join(SRC, "www", "static", "style.css")
    with open(style, "rb") as f:
        assert len(gzip.compress(f.read())) <= 6 * 1024


def test_an_event_has_history_places_and_neighbours(site):
    page = get(site, "/events/b")
    api = requests.get(site.url + "/api/events/b/history", timeout=20).json()
    for point in api["history"] if "history" in api else api["points"]:
        if point["rsvps"]:
            day = time.strptime(point["at"][:10], "%Y-%m-%d")
            told = f"{day.tm_mday} {time.strftime('%b %Y', day)}"
            assert f"{told} {point['rsvps']} {point['headcount']}" \
                in page.words
    # 24 hours: second; all time: tied for the first place.
    assert "the last 24 hours 2 4" in page.words
    assert "All time 1 7" in page.words
    assert "Book (this event)" in page.words
    assert {"../events/a", "../groups/2", "../venues/5"} <= set(page.links)
    assert "geo:60.39,5.32" in page.links
    assert "Tie 0" in page.words and "../events/tie0" in page.links


def test_an_event_that_nobody_goes_to_says_so(site):
    page = get(site, "/events/gone")
    assert "Nobody says yes to it." in page.words
    assert page.words.count("no RSVP") == 4


def test_a_group_and_a_venue_show_what_is_on(site):
    page = get(site, "/groups/2")
    assert "Readers" in page.words and "Bergen, no" in page.words
    order = [page.words.index(f"Tie {n}") for n in range(4)]
    assert order == sorted(order)
    assert page.words.index("To come") < order[0]
    assert order[-1] < page.words.index("Before") \
        < page.words.index("Book")
    page = get(site, "/venues/5")
    assert "Library" in page.words and "Readers" in page.words
    get(site, "/groups/99", status=404)
    get(site, "/venues/99", status=404)
    get(site, "/groups/x", status=400)


def test_a_search_is_a_page(site):
    page = get(site, "/search?q=" + urllib.parse.quote("tie 2"))
    assert "1 event was found for “tie 2”." in page.words
    assert "events/tie2" in page.links
    assert "Nothing was found for “<b>”." in get(
        site, "/search?q=%3Cb%3E").words
    for path in ("/search", "/search?q="):
        assert "Write some words" in get(site, path).words
    get(site, "/search?limit=5", status=400)


@pytest.mark.parametrize("path, status", [
    ("/events/none", 404), ("/none", 404), ("/groups", 404), ("/?k=0", 400),
    ("/static/none", 404)])
def test_a_page_that_is_not_there_has_a_search_box(site, path, status):
    page = get(site, path, status=status)
    form = [names for tag, names in page.elements if tag == "form"]
    assert [f["role"] for f in form] == ["search"]
    assert urllib.parse.urljoin(site.url + path, form[0]["action"]) \
        == site.url + "/search"


def test_the_status_tells_of_the_pool_and_of_dead_letters(site):
    page = get(site, "/status")
    assert "PostgreSQL: It answers." in page.words
    assert "Workers 2" in page.words
    assert "No Redis node is configured." in page.words
    (reason,), = site.query("SELECT reason FROM turnout.dead_letters")
    assert reason in page.words


def test_the_status_tells_which_partition_is_stopped_and_why(site):
    """It is told also where 60 others are further behind."""
    site.query("INSERT INTO turnout.ingest_offsets (topic, part, next_offset,"
               " high_watermark, stopped_why)"
               " VALUES ('t', 3, 5, 5, 'it went <away>')")
    site.query("INSERT INTO turnout.ingest_offsets (topic, part, next_offset,"
               " high_watermark) SELECT 't', p, 5, 50"
               " FROM generate_series(4, 63) AS p")
    page = get(site, "/status")
    site.query("DELETE FROM turnout.ingest_offsets WHERE topic = 't'")
    assert "t[3] is stopped: it went <away>" in page.words
    assert "t[4] is stopped" not in page.words


def test_the_status_works_without_postgresql(site):
    site.stack.postgres.stop()
    try:
        assert proc.wait_until(
            lambda: "It does not answer" in get(site, "/status").words,
            20, 0.1)
        page = get(site, "/status")
        assert "Workers 2" in page.words
        assert "Dead letters" not in page.words
    finally:
        site.stack.postgres.start()
    assert proc.wait_until(
        lambda: "It answers." in get(site, "/status").words, 20, 0.1)
