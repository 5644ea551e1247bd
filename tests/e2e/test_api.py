"""The API as a client sees it: through nginx, over HTTP."""

import http.client
import json
import re
import socket
import time
import urllib.parse

import oracle
import pytest
import requests
import state
from fixtures import started
from messages import message
from world import World, lines_of

SECURITY = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=()",
}
PROBLEM = "application/problem+json"
JSON = re.compile(r"application/json(; ?charset=utf-8)?", re.I)
ODD = message(
    990001, "odd id?#%41&", 'Ünï "quoted" <b>\\</b>', guests=3,
    event_url="https://example.org/e/1?a=b&c=d", time=1491613200000,
    member={"member_id": 42, "member_name": "Zoë"},
    group={"group_id": 77, "group_name": "A & B", "group_urlname": "a-b",
           "group_city": "Oslo", "group_country": "no",
           "group_topics": [{"urlkey": "x", "topic_name": "X"}]},
    venue={"venue_id": 5, "venue_name": "Here", "lat": 59.5, "lon": 10})


@pytest.fixture(scope="module")
def site(generate, tmp_path_factory, request):
    """A served world of generated messages and its oracle's state."""
    stack = started(broker="none", only=("postgres", "redis"))
    request.addfinalizer(stack.down)
    w = World(stack, "api")
    request.addfinalizer(w.end)
    path = tmp_path_factory.mktemp("site") / "all.ndjson"
    with open(generate(4000, seed=1, events=300), "rb") as f:
        path.write_bytes(f.read() + ODD + b"\n")
    done = w.command("import", "-q", str(path))
    assert done.returncode == 0, done.stderr
    w.url = w.serve(nodes=[r.node() for r in stack.redis])
    w.want = oracle.state_of_file(lines_of(str(path)))
    assert state.differences(w.want, state.read(w.dsn)) == []
    return w


@pytest.fixture
def get(site):
    def ask(path, method="GET", **how):
        return requests.request(method, site.url + path, timeout=5,
                                allow_redirects=False, **how)
    return ask


def raw(site, request):
    """Bytes as they are, to nginx; the status and the headers."""
    place = urllib.parse.urlsplit(site.url)
    with socket.create_connection((place.hostname, place.port), 5) as s:
        s.sendall(request)
        answer = http.client.HTTPResponse(s)
        answer.begin()
        return answer.status, answer.headers, answer.read()


def check_problem(answer, status, **members):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == PROBLEM
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    for name, value in members.items():
        assert problem[name] == value
    return problem


# Boards.

@pytest.mark.parametrize("by", ["rsvps", "headcount"])
@pytest.mark.parametrize("k", [1, 2, 10, 99, 100, 1000])
def test_a_board_is_the_oracles(site, get, k, by):
    answer = get(f"/api/topk?k={k}&by={by}").json()
    rows, tie = site.want.board(k, by)
    assert [(e["rank"], e["event_id"], e["rsvps"], e["headcount"])
            for e in answer["events"]] == rows
    assert answer["tie_at_cutoff"] is tie


def test_the_board_has_the_members_that_the_page_names(site, get):
    answer = get("/api/topk?k=3&by=headcount")
    assert JSON.fullmatch(answer.headers["Content-Type"])
    body = answer.json()
    assert list(body) == ["query", "as_of", "lag", "version", "stale",
                          "tie_at_cutoff", "events"]
    assert body["query"] == {"k": 3, "by": "headcount"}
    assert body["stale"] is False
    # An import moves no offset, so there is nothing to be behind of.
    assert body["lag"] == {"messages": None, "seconds": None}
    assert body["version"] == 4001  # lines imported
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
                        body["as_of"])
    for event in body["events"]:
        assert set(event) >= {"rank", "event_id", "name", "url", "starts_at",
                              "rsvps", "headcount", "group", "venue"}
        assert "previous_rank" not in event


def test_the_presets_are_k_10_by_rsvps(get):
    body = get("/api/topk").json()
    assert body["query"] == {"k": 10, "by": "rsvps"}
    assert len(body["events"]) == 10
    again = get("/api/topk?by=rsvps&k=10").json()
    assert again["events"] == body["events"]


def test_k_larger_than_the_board_gives_all_of_it(site, get):
    body = get("/api/topk?k=1000").json()
    assert len(body["events"]) == len(site.want.counts())
    assert body["tie_at_cutoff"] is False


# Parameters.

BAD_K = ["0", "-1", "1001", "1e9", "2147483648", "9223372036854775808",
         "18446744073709551616", "1.5", "0x10", "010", "+5", "%2B5", "%205",
         "5%20", "", "abc", "%D9%A5", "9" * 500, "5%00", "%00", "5;6", "1_0",
         "5%0A", "5%0D%0AX:1", "null", "%C0%B5", "%ff", "NaN", "5,5", "1%"]


@pytest.mark.parametrize("value", BAD_K)
def test_a_bad_k_is_told_with_what_is_allowed(get, value):
    problem = check_problem(get(f"/api/topk?k={value}"), 400, param="k")
    assert "1" in problem["allowed"] and "1000" in problem["allowed"]


def test_an_encoded_digit_is_that_digit(get):
    assert get("/api/topk?%6b=%35").json()["query"]["k"] == 5


@pytest.mark.parametrize("query, param", [
    ("by=", "by"), ("by=RSVPS", "by"), ("by=people", "by"),
    ("by=rsvps%00", "by"), ("by=rsvps&by=rsvps", "by"), ("k=5&k=5", "k"),
    ("k=5&k=6", "k"), ("k=5&%6b=6", "k"), ("K=5", "K"), ("k[]=5", "k[]"),
    ("windows=24h", "windows"), ("x=1", "x"), ("k=5&x=", "x"),
    ("format=xml", "format"), ("window=24", "window"), ("date=1", "date"),
    ("from=2017-03-19T00:00:00Z", "to"), ("country=usa", "country"),
    ("kk=5", "kk"), ("k", "k"), ("by", "by")])
def test_a_bad_unknown_or_repeated_parameter_is_named(get, query, param):
    problem = check_problem(get("/api/topk?" + query), 400, param=param)
    assert problem["allowed"]


@pytest.mark.parametrize("query", [
    "&&&", "=5", "k=5&", "&k=5", "k=5&&by=rsvps", "%zz=1", "k%=5", "%",
    "a" * 3000 + "=1", "<script>=1", "%00=1", "k=5#x&k=6"],
    ids=lambda query: query[:12])
def test_a_malformed_query_is_a_400_and_never_an_error_of_ours(get, query):
    status = get("/api/topk?" + query).status_code
    assert status in ((414,) if len(query) > 2048 else (200, 400))
    if query in ("=5", "%zz=1", "%", "<script>=1", "%00=1", "k%=5"):
        assert status == 400


def test_a_problem_does_not_reflect_what_was_sent(get):
    answer = get("/api/topk?k=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script" not in answer.text
    answer = get("/api/topk?%3Cscript%3E=1")
    assert "<script" not in answer.text


@pytest.mark.parametrize("path", [
    "/api/events/odd%20id%3F%23%2541%26", "/api/groups/77", "/api/venues/5",
    "/api/members/42", "/events/odd%20id%3F%23%2541%26"])
def test_a_route_without_parameters_refuses_any(get, path):
    answer = get(path + "?k=5")
    assert answer.status_code == 400
    if path.startswith("/api/"):
        check_problem(answer, 400, param="k")


# One thing by its id.

def test_an_event_is_told_with_its_details_and_counts(site, get):
    events = list(site.want.board(20)[0]) + [
        (None, e, 0, 0) for _, e in site.want.details if _ == "event"
        and e not in site.want.counts()][:5]
    for _, event_id, rsvps, headcount in events:
        body = get("/api/events/" + urllib.parse.quote(
            event_id, safe="")).json()
        event = site.want.details["event", event_id]
        assert body["event_id"] == event_id
        assert (body["name"], body["url"]) == (event.name, event.url)
        assert (body["rsvps"], body["headcount"]) == (rsvps, headcount)
        assert body["group"]["group_id"] == event.group_id


def test_an_id_of_odd_characters_is_found_percent_encoded(get):
    body = get("/api/events/odd%20id%3F%23%2541%26").json()
    assert body["event_id"] == "odd id?#%41&"
    assert body["name"] == 'Ünï "quoted" <b>\\</b>'
    assert (body["rsvps"], body["headcount"]) == (1, 4)
    assert body["url"] == "https://example.org/e/1?a=b&c=d"
    assert body["starts_at"] == "2017-04-08T01:00:00Z"
    assert body["venue"] == {"venue_id": 5, "name": "Here", "lat": 59.5,
                             "lon": 10}


def test_a_path_cannot_take_the_place_of_a_question(get):
    """Decoded, it looks like another path with a query."""
    event = get("/api/topk?k=1").json()["events"][0]["event_id"]
    crafted = f"/api/events/{event}/rank%3Fcity=wha"
    assert get(crafted).status_code == 404
    assert get(f"/api/events/{event}/rank?city=wha?").status_code == 200


def test_groups_venues_and_members_are_told(get):
    group = get("/api/groups/77").json()
    assert (group["group_id"], group["name"], group["urlname"],
            group["city"], group["country"]) == (77, "A & B", "a-b",
                                                 "Oslo", "no")
    venue = get("/api/venues/5").json()
    assert (venue["venue_id"], venue["name"], venue["lat"],
            venue["lon"]) == (5, "Here", 59.5, 10)
    member = get("/api/members/42").json()
    assert (member["member_id"], member["name"]) == (42, "Zoë")


@pytest.mark.parametrize("path", [
    "/api/events/nosuchevent", "/api/groups/999999999",
    "/api/venues/999999999", "/api/members/999999999"])
def test_an_unknown_id_is_not_found(get, path):
    check_problem(get(path), 404)


@pytest.mark.parametrize("kind", ["groups", "venues", "members"])
@pytest.mark.parametrize("word", ["0", "-1", "abc", "1.5", "1e3", "007",
                                  "9223372036854775808", "9" * 40, "1%00",
                                  "%20", "1x"])
def test_an_id_that_is_no_number_is_refused(get, kind, word):
    answer = get(f"/api/{kind}/{word}")
    assert answer.status_code in (400, 404), answer.text
    if "%00" not in word:  # nginx refuses that before it looks at the path
        assert answer.headers["Content-Type"].split(";")[0] == PROBLEM


@pytest.mark.parametrize("word", ["%00", "%ff%fe", "%C0%AF", "x" * 513,
                                  "%ED%A0%80", "a%00b"])
def test_an_event_id_that_cannot_be_is_refused(get, word):
    answer = get("/api/events/" + word)
    assert answer.status_code in (400, 404), answer.text


@pytest.mark.parametrize("path", [
    "/nothing", "/api", "/api/", "/api/topk/", "/api/topk/extra",
    "/API/TOPK", "/api/topk;x", "/api/topk%2f", "/api/events/",
    "/index.php/x", "/.git/config", "/static/",
    "/static/none.css", "/static/../nginx.conf", "/events/",
    "/api/topk.json", "/api/topk%00", "/..%2f..%2fetc%2fpasswd"])
def test_any_other_path_is_not_found(site, path):
    status, headers, body = raw(site, (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    ).encode())
    # nginx itself refuses a NUL and a path that leaves the root.
    expected = (400,) if "%00" in path or "..%2f" in path else (404,)
    assert status in expected + (404,), (status, body)
    assert b"nginx" not in body


# Methods.

@pytest.mark.parametrize("path", ["/", "/api/topk", "/api/groups/77",
                                  "/static/style.css"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH",
                                    "OPTIONS", "FOO"])
def test_other_methods_are_refused_and_the_right_ones_named(
        get, method, path):
    answer = get(path, method)
    assert answer.status_code == 405
    assert answer.headers["Allow"].replace(" ", "").split(",") \
        == ["GET", "HEAD"]


def test_head_first_and_get_after_it_has_the_whole_body(get):
    for path in ("/api/topk?k=31", "/", "/api/groups/77", "/static/icon.svg"):
        head = get(path, "HEAD")
        assert (head.status_code, head.content) == (200, b"")
        whole = get(path)
        assert whole.status_code == 200 and whole.content
        for name in ("Content-Type", "ETag", "Cache-Control"):
            assert head.headers.get(name) == whole.headers.get(name)


# Conditional requests.

@pytest.mark.parametrize("path", ["/api/topk?k=7", "/", "/api/groups/77"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_an_etag_is_weak_and_gives_a_304(get, path, encoding):
    first = get(path, headers={"Accept-Encoding": encoding})
    tag = first.headers["ETag"]
    assert re.fullmatch(r'W/"[^"]+"', tag)
    for asked in (tag, tag[2:], f'"x", {tag}', "*"):
        again = get(path, headers={"Accept-Encoding": encoding,
                                   "If-None-Match": asked})
        assert again.status_code == 304, asked
        assert again.content == b""
        assert again.headers["ETag"] == tag
    other = get(path, headers={"If-None-Match": 'W/"other"'})
    assert other.status_code == 200


def test_the_etag_stands_while_the_board_stands(get):
    first = get("/api/topk?k=8")
    deadline = time.monotonic() + 8
    while True:  # until it was computed anew
        second = get("/api/topk?k=8")
        if second.json()["as_of"] > first.json()["as_of"]:
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert second.headers["ETag"] == first.headers["ETag"]
    assert get("/api/topk?k=9").headers["ETag"] != first.headers["ETag"]


def test_answers_are_compressed_and_the_same(get):
    plain = get("/api/topk?k=1000", headers={"Accept-Encoding": "identity"})
    small = get("/api/topk?k=1000", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.json()["events"] == plain.json()["events"]


@pytest.mark.parametrize("path", [
    "/static/style.css", "/static/app.js", "/static/icon.svg",
    "/api/openapi.json"])
def test_a_file_is_compressed_for_who_takes_it(get, path):
    plain, small = (get(path, headers={"Accept-Encoding": encoding})
                    for encoding in ("identity", "gzip"))
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.content == plain.content
    assert plain.headers["Vary"] == small.headers["Vary"] == "Accept-Encoding"


def test_how_long_an_answer_may_be_kept_is_said(get):
    control = get("/api/topk?k=4").headers["Cache-Control"]
    assert control == ("public, max-age=1, stale-while-revalidate=10, "
                       "stale-if-error=300")
    assert "public" not in get("/api/topk?k=0").headers.get(
        "Cache-Control", "no-store")


# Every status, every header.

STATUSES = [
    (200, b"GET /api/topk HTTP/1.1\r\nHost: x\r\n"),
    (200, b"GET / HTTP/1.1\r\nHost: x\r\n"),
    (200, b"GET /static/style.css HTTP/1.1\r\nHost: x\r\n"),
    (304, b"GET /api/topk HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n"),
    (400, b"GET /api/topk?k=0 HTTP/1.1\r\nHost: x\r\n"),
    (400, b"GET /api/topk HTTP/1.1\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40000 + b"\r\n"),
    (404, b"GET /nothing HTTP/1.1\r\nHost: x\r\n"),
    (404, b"GET /api/groups/99999 HTTP/1.1\r\nHost: x\r\n"),
    (404, b"GET /static/nothing HTTP/1.1\r\nHost: x\r\n"),
    (404, b"GET /events/nothing HTTP/1.1\r\nHost: x\r\n"),
    (405, b"POST /api/topk HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"),
    (405, b"TRACE /api/topk HTTP/1.1\r\nHost: x\r\n"),
    (413, b"GET /api/topk HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n"),
    (414, b"GET /" + b"x" * 40000 + b" HTTP/1.1\r\nHost: x\r\n"),
]


def is_api(request):
    """Whether nginx knew that it is: some it refuses before it looks."""
    return b"/api/" in request and b"Host" in request \
        and not request.startswith(b"TRACE")


@pytest.mark.parametrize(
    "status, request_", STATUSES,
    ids=[f"{s}-{r[:22].decode()}" for s, r in STATUSES])
def test_security_headers_are_on_every_status(site, status, request_):
    found, headers, body = raw(
        site, request_ + b"Connection: close\r\n\r\n")
    assert found == status, body
    for name, value in SECURITY.items():
        assert len(headers.get_all(name, [])) == 1, (name, headers)
        assert headers[name].startswith(value), (name, headers[name])
    # The API is for the scripts of any site, the pages are not.
    assert headers["Cross-Origin-Resource-Policy"] == (
        "cross-origin" if is_api(request_) else "same-origin")
    assert not re.search(r"\d", headers.get("Server", "")), headers["Server"]
    assert "unsafe" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize("status, request_", [
    (s, r) for s, r in STATUSES if s >= 400],
    ids=[f"{s}-{r[:22].decode()}" for s, r in STATUSES if s >= 400])
def test_an_error_has_a_body_of_our_own(site, status, request_):
    _, headers, body = raw(site, request_ + b"Connection: close\r\n\r\n")
    assert b"nginx" not in body.lower()
    if is_api(request_):
        assert headers["Content-Type"].split(";")[0] == PROBLEM
        assert json.loads(body)["status"] == status


# What a request may not change.

UNKEYED = ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-Host: evil.example",
           "X-Original-URL: /healthz", "X-Rewrite-URL: /healthz",
           "X-HTTP-Method-Override: POST", "Proxy: http://evil.example",
           "Range: bytes=0-3", "Cookie: a=b", "Authorization: Basic eA==",
           "Cache-Control: no-cache", "Pragma: no-cache",
           "Accept: text/plain", "Accept-Language: de", "Origin: http://evil",
           "User-Agent: <script>", "Referer: http://evil.example/",
           "X-Forwarded-Proto: gopher", "Forwarded: host=evil.example"]


@pytest.mark.parametrize("header", UNKEYED)
def test_a_header_that_is_no_part_of_the_key_changes_nothing(site, header):
    number = UNKEYED.index(header) + 40
    line = f"GET /api/topk?k={number} HTTP/1.1\r\n"
    end = "Connection: close\r\n\r\n"
    dirty = raw(site, (line + "Host: evil.example\r\n" + header + "\r\n"
                       + end).encode())
    clean = raw(site, (line + "Host: x\r\n" + end).encode())
    assert (dirty[0], clean[0]) == (200, 200)
    assert json.loads(dirty[2])["events"] == json.loads(clean[2])["events"]
    assert b"evil" not in dirty[2] + clean[2]
    assert "evil" not in str(dirty[1]) + str(clean[1])


def test_http_0_9_is_not_answered_as_a_page(site):
    place = urllib.parse.urlsplit(site.url)
    with socket.create_connection((place.hostname, place.port), 5) as s:
        s.sendall(b"GET /api/topk\r\n")
        s.settimeout(5)
        answer = s.recv(65536)
    assert b'"events"' not in answer


def test_the_answer_is_one_json_text_in_utf_8(get):
    for path in ("/api/topk?k=1000", "/api/events/odd%20id%3F%23%2541%26"):
        answer = get(path)
        json.loads(answer.content.decode("utf-8"))
        assert int(get(path, headers={"Accept-Encoding": "identity"})
                   .headers["Content-Length"]) > 0


# For operators.

def test_health_is_told(get):
    health = get("/healthz")
    assert (health.status_code, "public" in health.headers.get(
        "Cache-Control", "")) == (200, False)
    assert get("/readyz").status_code == 200


def test_metrics_are_prometheus_text(get):
    get("/api/topk?k=3")
    answer = get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(
        "text/plain; version=0.0.4")
    names = set()
    for line in answer.text.splitlines():
        if line.startswith("#"):
            assert re.match(r"# (HELP|TYPE) turnout_fcgi_\w+ \S", line)
        else:
            found = re.fullmatch(
                r'(turnout_fcgi_\w+)(\{[^}]*\})? [-+.\dEe]+|NaN', line)
            assert found, line
            names.add(found.group(1))
    assert any(name.endswith("_total") for name in names)
    assert "turnout_fcgi_build_info" in names


@pytest.mark.parametrize("path, status", [
    ("/healthz", 403), ("/readyz", 403), ("/metrics", 403),
    ("/status", 403),
    ("/api/topk", 200)])
def test_operators_pages_are_private(site, path, status):
    """127.0.0.2 is as foreign as any address that is not allowed."""
    place = urllib.parse.urlsplit(site.url)
    connection = http.client.HTTPConnection(
        place.hostname, place.port, timeout=5,
        source_address=("127.0.0.2", 0))
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == status
    answer.read()
    connection.close()
