"""/api/topk over HTTP: ranges, filters, formats, and their manners."""

import csv
import datetime
import html
import io
import re
import time
import urllib.parse

import oracle
import pytest
import requests
from fixtures import started
from messages import message
from oracle import board, state
from serving import slow_windows
from stacklib.postgres import PRISTINE
from world import World, lines_of

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
UNITS = {"m": 60000, "h": 3600000, "d": 86400000}
NOW = int(time.time() * 1000)
HOUR = 3600000
DAY = 24 * HOUR
# Beside the generated ones: cities in any case, a comma and a quote in a name,
# RSVPs of the last hours and of those before, events to come.
MORE = [
    message(990001, "paris1", 'A "quoted", name', mtime=1489925470001,
            time=NOW + 9 * HOUR, guests=1,
            group={"group_id": 990, "group_city": "Orléans",
                   "group_country": "fr", "group_urlname": "nord-sud",
                   "group_topics": [{"urlkey": "c++", "topic_name": "C"}]}),
    message(990002, "paris2", mtime=1489925470000, time=1489925470000,
            group={"group_id": 991, "group_city": "ORLÉANS",
                   "group_country": "FR", "group_urlname": "123"}),
    message(990003, "recent", mtime=NOW - 1000 * 60, group={"group_id": 992}),
    message(990004, "recent", mtime=NOW - 3 * HOUR, group={"group_id": 992}),
    message(990005, "before", mtime=NOW - 3 * HOUR, group={"group_id": 992}),
    message(990006, "before", mtime=NOW - 3 * HOUR, group={"group_id": 992}),
    message(990007, "before", mtime=NOW - 30 * 60000,
            group={"group_id": 992}),
    *(message(990010 + i, event_id, group={"group_id": 993})
      for i, event_id in enumerate(["alpha", "Zulu", "a-b", "_x", "aa",
                                    "éa"])),
]


@pytest.fixture(scope="module")
def site(generate, tmp_path_factory, request):
    stack = started(broker="none", only=("postgres", "redis"))
    request.addfinalizer(stack.down)
    # As a database is on a host of today: it does not sort by bytes.
    stack.postgres.psql(
        f"CREATE DATABASE {PRISTINE} TEMPLATE template0 LOCALE_PROVIDER icu"
        " ICU_LOCALE 'en-US'", database="postgres")
    stack.postgres.make_database(PRISTINE)
    w = World(stack, "boards")
    request.addfinalizer(w.end)
    path = tmp_path_factory.mktemp("site") / "all.ndjson"
    with open(generate(4000, seed=5, events=300), "rb") as f:
        path.write_bytes(f.read() + b"\n".join(MORE) + b"\n")
    done = w.command("import", "-q", str(path))
    assert done.returncode == 0, done.stderr
    w.url = w.serve(nodes=[r.node() for r in stack.redis])
    w.want = oracle.state_of_file(lines_of(str(path)))
    return w


@pytest.fixture
def ask(site):
    def get(path="/api/topk", headers=None, **params):
        query = urllib.parse.urlencode(params)
        return requests.get(f"{site.url}{path}?{query}", timeout=10,
                            headers=headers)
    return get


def iso(ms):
    when = EPOCH + datetime.timedelta(milliseconds=ms)
    unit = "milliseconds" if ms % 1000 else "seconds"
    return when.isoformat(timespec=unit).replace("+00:00", "Z")


def ms_of(text):
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (when - EPOCH) // datetime.timedelta(milliseconds=1)


def fits(want, event_id, now, query):
    event = want.details["event", event_id]
    group = want.details["group", event.group_id]
    for name in ("country", "city"):
        if name in query and (getattr(group, name) or "").lower() \
                != query[name].lower():
            return False
    if "group" in query and query["group"] != (
            str(event.group_id) if query["group"].isdigit()
            else group.urlname):
        return False
    if "topic" in query and query["topic"] not in [
            urlkey for urlkey, _ in group.topics or []]:
        return False
    if query.get("when") == "upcoming":
        return event.starts_ms is not None and event.starts_ms >= now
    if query.get("when") == "week":
        return event.starts_ms is not None and \
            now <= event.starts_ms < now + 7 * DAY
    if query.get("when") == "past":
        return event.starts_ms is not None and event.starts_ms < now
    return True


def expected(want, body, query):
    """(rows, tie, {event: rank before}) for the range that was used."""
    now = ms_of(body["as_of"])

    def counts(start, end):
        return {e: n for e, n in state.total(
            (r.event_id, r) for r in want.yes()
            if start <= r.mtime_ms < end).items()
            if fits(want, e, now, query)}

    k, by = body["query"]["k"], body["query"]["by"]
    if "from" not in body["query"]:
        return *board.board(counts(0, 1 << 60), k, by), None
    start, end = ms_of(body["query"]["from"]), ms_of(body["query"]["to"])
    before = board.board(counts(start - (end - start), start), 9999, by)[0]
    return *board.board(counts(start, end), k, by), {
        event: rank for rank, event, *_ in before if rank <= 100}


def compare(want, answer, query):
    assert answer.status_code == 200, (query, answer.text)
    body = answer.json()
    rows, tie, before = expected(want, body, query)
    assert [(e["rank"], e["event_id"], e["rsvps"], e["headcount"])
            for e in body["events"]] == rows, query
    assert body["tie_at_cutoff"] is tie, query
    for event in body["events"]:
        if before is None:
            assert "previous_rank" not in event
        else:
            assert event["previous_rank"] == before.get(
                event["event_id"]), query
    return body


def some_query(dice, want):
    mtimes = sorted(r.mtime_ms for r in want.yes())
    groups = [g for (kind, _), g in want.details.items() if kind == "group"]
    ids = [i for kind, i in want.details if kind == "group"]
    query = {"k": dice.choice([1, 2, 10, 100]),
             "by": dice.choice(["rsvps", "headcount"])}
    way = dice.randrange(5)
    at = dice.choice(mtimes) + dice.randint(0, 1)
    if way == 0:
        query["date"] = iso(at)[:10]
    elif way == 1:
        end = dice.choice([at + 1, at + 60000, at + 7 * 86400000])
        query.update({"from": iso(at), "to": iso(end)})
    elif way == 2:
        query["window"] = dice.choice(["1m", "90m", "24h", "7d", "400d"])
        query["to"] = iso(at)
    elif way == 3:
        query["window"] = dice.choice(["90m", "24h", "400d"])
    group = dice.choice(groups)
    for name, value in (
            ("country", group.country), ("city", group.city),
            ("group", dice.choice([group.urlname, str(dice.choice(ids))])),
            ("topic", dice.choice(group.topics or [("", "")])[0]),
            ("when", dice.choice(["any", "upcoming", "week", "past"]))):
        if value and dice.random() < 0.2:
            query[name] = dice.choice([value, value.upper()]) \
                if name in ("country", "city") else value
    return query


def test_boards_at_random_are_the_oracles(site, ask, dice):
    filled = 0
    for _ in range(120):
        query = some_query(dice, site.want)
        if "country" in query and len(query["country"]) != 2:
            continue
        body = compare(site.want, ask(**query), query)
        filled += len(body["events"]) > 0
    assert filled > 30, "the queries are too narrow to show anything"


@pytest.mark.parametrize("query", [
    {"window": "90m", "to": "2017-03-19T12:11:11Z"},
    {"date": "2017-03-19"}, {"city": "orlÉans"}, {"country": "FR"},
    {"group": "nord-sud"}, {"group": "990"}, {"topic": "c++"},
    {"when": "upcoming"}, {"when": "week"}, {"when": "past"},
    {"window": "2h"},
    {"group": "123"}, {"group": "7"}, {"city": "nowhere"}],
    ids=lambda q: " ".join(f"{n}={v}" for n, v in q.items()))
def test_a_board_is_the_oracles_and_says_what_it_is(site, ask, query):
    body = compare(site.want, ask(**query), query)
    echoed = dict(body["query"])
    assert echoed.pop("k") == 10 and echoed.pop("by") == "rsvps"
    if any(name in query for name in ("window", "date")):
        used = ms_of(echoed["to"]) - ms_of(echoed.pop("from"))
        assert used == {"90m": 5400000, "2h": 7200000}.get(
            query.get("window"), 86400000)
        if "to" not in query:
            echoed.pop("to")
    wanted = {n: v.lower() if n == "country" else v for n, v in query.items()}
    assert echoed == wanted


def test_a_rank_is_the_place_on_the_board(site, ask, dice):
    for query in ({}, {"by": "headcount"}, {"country": "us"},
                  {"window": "400d", "to": "2017-03-20T00:00:00Z"},
                  {"window": "2h", "group": "992"}):
        rows = ask(k=1000, **query).json()["events"]
        for place in dice.sample(range(len(rows)), min(5, len(rows))):
            around = dice.choice([0, 1, 20])
            answer = ask(f"/api/events/{rows[place]['event_id']}/rank",
                         around=around, **query)
            assert answer.status_code == 200, answer.text
            body = answer.json()
            assert (body["rank"], body["beyond"]) == (
                rows[place]["rank"], None)
            near = rows[max(0, place - around):place + around + 1]
            assert body["events"] == [
                {n: v for n, v in e.items() if n != "previous_rank"}
                for e in near]


def test_a_rank_of_what_is_on_no_board(ask):
    body = ask("/api/events/paris1/rank", country="us", around=5).json()
    assert (body["rank"], body["beyond"], body["events"]) == (None, None, [])
    assert ask("/api/events/nothing/rank").status_code == 404
    assert ask("/api/events/nothing/history").status_code == 404


@pytest.mark.parametrize("step", ["1h", "1d", "1w"])
def test_a_history_is_the_sum_of_its_steps(site, ask, step):
    step_ms = {"1h": HOUR, "1d": 24 * HOUR, "1w": 168 * HOUR}[step]
    shift = 96 * HOUR if step == "1w" else 0
    events = [row[1] for row in site.want.board(3)[0]] + ["recent", "before"]
    for event_id in events:
        mine = [r for r in site.want.yes() if r.event_id == event_id]
        times = [r.mtime_ms for r in mine]
        for given in ({}, {"from": iso(min(times)),
                           "to": iso(min(times) + 30 * HOUR)}):
            body = ask(f"/api/events/{event_id}/history", step=step,
                       **given).json()
            points = body["points"]
            start, end = (ms_of(body["query"][n]) for n in ("from", "to"))
            assert (start - shift) % step_ms == 0
            assert start <= min(times) and 0 < len(points) <= 1000
            assert [ms_of(p["at"]) for p in points] == list(
                range(start, end, step_ms))
            for point in points:
                at = ms_of(point["at"])
                here = [r for r in mine if at <= r.mtime_ms < at + step_ms]
                assert (point["rsvps"], point["headcount"]) == (
                    len(here), sum(1 + (r.guests or 0) for r in here))
            if not given and step != "1h":
                assert sum(p["rsvps"] for p in points) == len(mine)


def test_ties_are_in_the_order_of_bytes_whatever_the_database_sorts_by(ask):
    wanted = ["Zulu", "_x", "a-b", "aa", "alpha", "éa"]
    for query in ({}, {"by": "headcount"}, {"date": "2017-03-19"}):
        found = ask(group="993", **query).json()["events"]
        assert [e["event_id"] for e in found] == wanted, query
        near = ask("/api/events/aa/rank", group="993", around=20,
                   **query).json()["events"]
        assert [e["event_id"] for e in near] == wanted, query
    everybody = [e["event_id"] for e in ask(k=1000).json()["events"]]
    assert [e for e in everybody if e in wanted] == wanted


def test_to_the_millisecond(ask):
    def events(start, end):
        answer = ask(**{"from": iso(start), "to": iso(end), "country": "fr"})
        return [e["event_id"] for e in answer.json()["events"]]
    at = 1489925470000
    assert events(at, at + 1) == ["paris2"]
    assert events(at + 1, at + 2) == ["paris1"]
    assert events(at, at + 2) == ["paris1", "paris2"]
    assert events(at + 2, at + 3) == []


def test_a_sliding_window_ends_when_the_answer_is_made(ask):
    body = ask(window="2h", group="992").json()
    assert ms_of(body["query"]["to"]) == ms_of(body["as_of"])
    assert [(e["event_id"], e["rank"], e["previous_rank"], e["rsvps"])
            for e in body["events"]] == [
        ("before", 1, 1, 1), ("recent", 1, 2, 1)]


def test_a_poll_of_a_sliding_window_is_a_304(site, ask):
    first = ask(window="2h", group="992")
    tag = first.headers["ETag"]
    deadline = time.monotonic() + 8
    while True:
        again = ask(window="2h", group="992")
        if again.json()["query"]["to"] != first.json()["query"]["to"]:
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert again.headers["ETag"] == tag
    for encoding in ("gzip", "identity"):
        poll = ask(window="2h", group="992", headers={
            "If-None-Match": tag, "Accept-Encoding": encoding})
        assert (poll.status_code, poll.content) == (304, b"")
    assert ask(window="120m", group="992").headers["ETag"] != tag


def test_csv_has_the_same_events(ask):
    query = {"window": "400d", "to": "2017-03-20T00:00:00Z", "country": "fr"}
    table = ask(format="csv", **query)
    assert table.headers["Content-Type"] == \
        "text/csv; charset=utf-8; header=present"
    rows = list(csv.DictReader(io.StringIO(table.content.decode(),
                                           newline="")))
    events = ask(**query).json()["events"]
    assert len(events) >= 2
    for row, event in zip(rows, events, strict=True):
        assert row["name"] == event["name"]
        assert (int(row["rank"]), row["event_id"], int(row["rsvps"]),
                int(row["headcount"])) == (
            event["rank"], event["event_id"], event["rsvps"],
            event["headcount"])
        assert row["previous_rank"] == ""
        assert row["city"] == event["group"]["city"]
    assert table.content.count(b"\r\n") == len(rows) + 1


def test_csv_is_negotiated_and_varies_only_where_it_is(ask):
    def kind(answer):
        vary = answer.headers.get("Vary", "").replace(" ", "").split(",")
        return (answer.headers["Content-Type"].split(";")[0],
                "Accept" in vary)
    for _ in range(2):  # the second from the cache
        assert kind(ask(k=3)) == ("application/json", True)
        assert kind(ask(k=3, headers={"Accept": "text/csv"})) == (
            "text/csv", True)
        assert kind(ask(k=3, format="json",
                        headers={"Accept": "text/csv"})) == (
            "application/json", False)
        assert kind(ask(k=3, format="csv")) == ("text/csv", False)
    assert kind(ask(k=0, headers={"Accept": "text/csv"}))[0] == \
        "application/problem+json"


def test_what_is_too_wide_is_told(site, ask):
    with slow_windows(site.dsn, 5):
        answer = ask(window="123d", country="us")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    problem = answer.json()
    assert problem["param"] == "window"
    assert "window" in problem["detail"] and "country" in problem["detail"]
    # It says nothing of PostgreSQL: the next question is asked.
    assert ask(window="124d", country="us").status_code == 200


def test_events_are_found_by_words(ask):
    def found(words, **more):
        answer = ask("/api/events", q=words, **more)
        assert answer.status_code == 200, answer.text
        assert answer.json()["query"]["q"] == words
        return [e["event_id"] for e in answer.json()["events"]]
    assert set(found("orleans")) == {"paris1", "paris2"}
    assert found("QUOT orlé") == ["paris1"]
    assert found("quoted picnic") == []
    assert len(found("orleans", limit=1)) == 1
    assert found("...") == []
    assert ask("/api/events").json()["param"] == "q"
    assert ask("/api/events", q="x", limit=101).json()["param"] == "limit"


def test_choices_are_counted(site, ask):
    groups = [g for (kind, _), g in site.want.details.items()
              if kind == "group"]
    countries = ask("/api/countries").json()["countries"]
    for entry in countries:
        assert entry["groups"] == sum(
            (g.country or "").lower() == entry["country"] for g in groups)
    assert countries and countries == sorted(
        countries, key=lambda e: (-e["groups"], e["country"]))
    for entry in ask("/api/topics").json()["topics"]:
        assert entry["groups"] == sum(
            entry["urlkey"] in dict(g.topics or []) for g in groups)
    cities = ask("/api/cities").json()["cities"]
    assert {"city": "ORLÉANS", "country": "fr", "groups": 2} in cities


# The API of the Go original: names and types are frozen.

def test_v1_topk_is_the_board_of_a_day(site, ask):
    for day in ("2017-03-19", iso(NOW)[:10], "2001-01-01"):
        start = ms_of(day + "T00:00:00Z")
        counts = state.total((r.event_id, r) for r in site.want.yes()
                             if start <= r.mtime_ms < start + 86400000)
        for k in (1, 7, 1000):
            answer = ask("/api/v1/events/topk", date=day, k=k)
            assert answer.status_code == 200, answer.text
            wanted = []
            for _, event_id, rsvps, _ in board.board(counts, k)[0]:
                event = site.want.details["event", event_id]
                wanted.append({"Event": {
                    "event_id": event_id, "event_name": event.name or "",
                    "event_url": event.url or "",
                    "time": event.starts_ms or 0}, "ConfirmedRSVPs": rsvps})
            assert answer.json() == wanted
    assert ask("/api/v1/events/topk", date="2001-01-01", k=1).text == "[]\n"


def test_v1_info_is_group_and_venue(site, ask):
    events = [row[1] for row in site.want.board(20)[0]]
    venues = 0
    for event_id in [*events, "paris1"]:
        event = site.want.details["event", event_id]
        group = site.want.details["group", event.group_id]
        venue = site.want.details.get(("venue", event.venue_id))
        body = ask("/api/v1/events/info", event_id=event_id).json()
        assert body["Group"] == {
            "group_id": event.group_id, "group_name": group.name or "",
            "group_country": group.country or "", "state": group.state or "",
            "city": group.city or "", "group_lat": group.lat or 0,
            "group_lon": group.lon or 0, "group_urlname": group.urlname or "",
            "topics": [{"urlkey": key, "topic_name": name}
                       for key, name in group.topics or []]}
        assert body["Venue"] == (venue and {
            "venue_id": event.venue_id, "venue_name": venue.name or "",
            "lat": venue.lat or 0, "lon": venue.lon or 0})
        venues += venue is not None
    assert venues > 0
    assert ask("/api/v1/events/info", event_id="nothing").status_code == 404


@pytest.mark.parametrize("path, param", [
    ("/api/v1/events/topk", "k"), ("/api/v1/events/topk?k=5", "date"),
    ("/api/v1/events/topk?k=1001&date=2017-03-19", "k"),
    ("/api/v1/events/topk?k=5&date=19.3.2017", "date"),
    ("/api/v1/events/info", "event_id"),
    ("/api/v1/events/info?event_id=", "event_id")])
def test_v1_refuses_what_made_the_original_panic(site, path, param):
    answer = requests.get(site.url + path, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["param"] == param
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_any_script_may_read_the_api(ask):
    for status, answer in ((200, ask(k=4)), (400, ask(k=0)),
                           (404, ask("/api/events/nothing"))):
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        shown = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"ETag", "Retry-After", "X-Turnout-Stale"} <= set(shown)
    page = ask("/")
    assert page.status_code == 200
    assert "Access-Control-Allow-Origin" not in page.headers


def test_the_page_takes_the_same_and_says_what_it_shows(site, ask):
    page = ask("/", k=3, date="2017-03-19", city="Orléans", group="nord-sud")
    assert page.status_code == 200
    caption = re.search(r"<caption>(.*?)</caption>", page.text, re.S)[1]
    for word in ('of <time datetime="2017-03-19">Sun 19 Mar 2017</time>',
                 "Orléans", "nord-sud"):
        assert word in caption
    assert "all time" not in caption
    assert 'type="hidden" name="date" value="2017-03-19"' in page.text
    assert re.search('<input id="city" name="city" [^>]*value="Orléans">',
                     page.text)
    link = html.unescape(re.search(r'href="(api/topk[^"]*)"', page.text)[1])
    body = requests.get(f"{site.url}/{link}", timeout=10).json()
    assert [e["event_id"] for e in body["events"]] == ["paris1"]
    assert body["query"]["city"] == "Orléans" and body["query"]["k"] == 3
    assert ask("/", window="1h", date="2017-03-19").status_code == 400
    assert ask("/", format="csv").status_code == 400


def test_head_has_the_header_of_get(site):
    url = site.url + "/api/topk?window=7d&format=csv"
    get, head = (requests.request(method, url, timeout=10, headers={
        "Accept-Encoding": "identity"}) for method in ("GET", "HEAD"))
    assert head.status_code == 200 and head.content == b""
    for name in ("Content-Type", "ETag", "Cache-Control", "Content-Length"):
        assert head.headers[name] == get.headers[name]
