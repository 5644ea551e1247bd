"""The pages: hostile names stay text, links work anywhere, no script needed."""

import collections
import re
import urllib.parse

import corpus
import oracle
import pytest
import requests
from fixtures import started
from messages import message
from page import Page
from world import World

EVIL = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)", "</title><script>alert(1)</script>", "<!--",
    "-->", "]]>", "&lt;b&gt;", "&#0;&#x3c;", "javascript:alert(1)",
    "<b>bold</b>", "a\nb\tc\rd", "\u202egnp.exe", "\u2028\u2029",
    "\ufeffbom", "\u0080\u009f\u007f", "{{7*7}}${7*7}<%= 7*7 %>",
    "%s%n%x", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "<svg/onload=alert(1)>", "a&b&amp;c", "\\\"\\u003cscript>",
    "e" + "\u0301" * 200, "x" * 4000, "   ", "", "<plaintext>",
    "</a></td></tr></table>", "<?php echo 1 ?>",
    "\u0430\u0440\u0440\u04cf\u0435",
]
URLS = ["javascript:alert(1)", "data:text/html,<script>alert(1)</script>",
        "//evil.example/", '"><script>alert(1)</script>', "vbscript:x",
        " javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:x",
        "https://example.org/\"onclick=\"alert(1)", "http://[", "",
        "https://example.org/ok?a=1&b=2"]


def evil_message(number, text):
    """Every text of a message is the same evil."""
    url = URLS[number % len(URLS)]
    return message(
        700000 + number, f"evil{number:02}", text, event_url=url,
        mtime=1489925470960 + number, time=1491613200000,
        member={"member_id": 100 + number, "member_name": text,
                "photo": url},
        group={"group_id": 100 + number, "group_name": text,
               "group_urlname": text, "group_city": text,
               "group_state": text, "group_country": text,
               "group_topics": [{"urlkey": text, "topic_name": text}]},
        venue={"venue_id": 100 + number, "venue_name": text, "lat": 1.5,
               "lon": 2})


# As a part of a path some of them are another's.
PATHS = ["b", "a/../b", "a//b", "/b", "b/.", "X", "X/rank", "X/history", "b/"]


@pytest.fixture(scope="module")
def site(tmp_path_factory, request):
    stack = started(broker="none", only=("postgres",))
    request.addfinalizer(stack.down)
    w = World(stack, "pages")
    request.addfinalizer(w.end)
    lines = [evil_message(n, text) for n, text in enumerate(EVIL)]
    lines += [message(690000, '"><script>alert(1)', "odd id"),
              message(690002, "a b?c#d%41&e=f;g+h", "url id"),
              message(690003, "nothing-known", None, group={
                  "group_name": None})]
    lines += [message(690010 + n, event_id, f"path {n}")
              for n, event_id in enumerate(PATHS)]
    lines += [value for case, value in corpus.load()
              if case["reason"] is None and case["id"].startswith("B26")]
    path = tmp_path_factory.mktemp("evil") / "evil.ndjson"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    done = w.command("import", "-q", str(path))
    assert done.returncode == 0, done.stderr
    assert w.query("SELECT count(*) FROM turnout.dead_letters") == [(0,)]
    w.url = w.serve()
    w.want = oracle.state_of_file(lines)
    return w


@pytest.fixture(scope="module")
def plain(site):
    """What elements and attributes a page with an honest name has."""
    source = requests.get(site.url + "/events/nothing-known", timeout=5).text
    board = requests.get(site.url + "/?k=1", timeout=5).text
    return {"board": Page(board), "event": Page(source)}


def shown(text):
    """As a page shows it: without white space, and with U+FFFD in place of
    what HTML forbids."""
    return re.sub("[\0-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]", "\ufffd",
                  "".join(text.split()))


def is_harmless(page, site):
    assert not page.wrong, page.wrong
    scripts = [names for tag, names in page.elements if tag == "script"]
    assert scripts in ([], [{"src": "static/app.js", "defer": None}])
    assert not page.tags() & {"b", "img", "iframe", "plaintext",
                              "object", "embed", "style", "base"}, page.tags()
    for tag, names in page.elements:
        assert not [n for n in names if n.startswith("on")], (tag, names)
        assert "style" not in names, (tag, names)
    for link in page.links:
        scheme = urllib.parse.urlsplit(link.strip()).scheme
        assert scheme in ("", "http", "https", "geo"), link
        assert not link.startswith("//"), link
    assert site.url not in page.links


def get_page(site, path):
    answer = requests.get(site.url + path, timeout=5)
    assert answer.status_code == 200, (path, answer.text[:300])
    assert answer.headers["Content-Type"].lower() == "text/html; charset=utf-8"
    return answer, Page(answer.content.decode("utf-8"))


def test_the_board_page_of_evil_names_is_harmless(site):
    answer, page = get_page(site, "/?k=1000")
    is_harmless(page, site)
    assert not re.search(r"<script(?! src=)|<img|<b>|<svg/", answer.text)
    for text in EVIL:
        if text.strip():
            assert shown(text) in "".join(page.text.split()), text


@pytest.mark.parametrize("number", range(len(EVIL)))
def test_an_event_page_of_an_evil_name_is_harmless(site, number):
    _, page = get_page(site, f"/events/evil{number:02}")
    is_harmless(page, site)
    assert shown(EVIL[number]) in "".join(page.text.split())


@pytest.mark.parametrize("event_id", [
    '"><script>alert(1)', "a b?c#d%41&e=f;g+h"])
def test_an_event_of_an_evil_id_has_a_page_and_a_link_to_it(site, event_id):
    path = "/events/" + urllib.parse.quote(event_id, safe="")
    _, page = get_page(site, path)
    is_harmless(page, site)
    _, board = get_page(site, "/?k=1000")
    base = site.url + "/"
    assert base.rstrip("/") + path in [
        urllib.parse.urljoin(base, link) for link in board.links]


def test_no_link_of_an_event_leads_to_another(site):
    _, board = get_page(site, "/?k=1000")
    here = [link for link in board.links if link.startswith("events/")]
    ids = [urllib.parse.unquote(link[len("events/"):]) for link in here]
    assert {"b", "X", "X/rank", "X/history", "b/"} == (
        set(ids) & set(PATHS))
    for link, event_id in zip(here, ids):
        _, page = get_page(site, "/" + link)
        for json in page.links:
            if json.startswith("../api/events/"):
                found = requests.get(f"{site.url}/{json[3:]}", timeout=5)
                assert found.json()["event_id"] == event_id


def test_evil_names_survive_json_unchanged(site):
    body = requests.get(site.url + "/api/topk?k=1000", timeout=5).json()
    for found in body["events"]:
        event = site.want.details["event", found["event_id"]]
        assert found["name"] == event.name
        group = site.want.details["group", event.group_id]
        assert found["group"]["name"] == group.name
        assert found["group"]["city"] == group.city
    for number, text in enumerate(EVIL):
        group = requests.get(site.url + f"/api/groups/{100 + number}",
                             timeout=5).json()
        assert (group["name"], group["urlname"]) == (text, text)
        venue = requests.get(site.url + f"/api/venues/{100 + number}",
                             timeout=5).json()
        assert venue["name"] == text
        member = requests.get(site.url + f"/api/members/{100 + number}",
                              timeout=5).json()
        assert member["name"] == text


def test_json_is_safe_inside_a_script_element(site):
    source = requests.get(site.url + "/api/topk?k=1000", timeout=5).text
    assert "</script" not in source.lower()


def test_a_page_works_without_script_and_shows_its_form(site):
    answer, page = get_page(site, "/")
    assert page.declared
    forms = [names for tag, names in page.elements if tag == "form"]
    assert forms and all(f.get("method", "get").lower() == "get"
                         for f in forms)
    named = {names.get("name") for tag, names in page.elements
             if tag in ("input", "select")}
    assert named >= {"k", "by"}
    html = [names for tag, names in page.elements if tag == "html"]
    assert html[0].get("lang")
    assert any(names.get("name") == "viewport"
               for tag, names in page.elements if tag == "meta")
    assert answer.headers["ETag"]


def test_a_form_sent_back_gives_the_page_again(site):
    _, page = get_page(site, "/?k=5&by=headcount")
    chosen = [names for tag, names in page.elements
              if tag == "option" and "selected" in names]
    assert any(names.get("value") == "headcount" for names in chosen) or any(
        names.get("value") == "headcount" and "checked" in names
        for tag, names in page.elements if tag == "input")
    assert any(names.get("name") == "k" and names.get("value") == "5"
               for tag, names in page.elements if tag == "input")


@pytest.mark.parametrize("path, status", [
    ("/?k=0", 400), ("/?x=1", 400), ("/events/none", 404), ("/none", 404),
    ("/?k=%3Cscript%3E", 400)])
def test_an_error_page_is_a_page_and_harmless(site, path, status):
    answer = requests.get(site.url + path, timeout=5)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    is_harmless(Page(answer.text), site)


def crawl(start):
    """What links lead to from start, once, a path with eight of its queries
    at most (boards lead to more boards without an end): {url: Page}."""
    host = urllib.parse.urlsplit(start).netloc
    seen, todo = {}, [start]
    queries = collections.Counter()
    while todo:
        url = todo.pop(0)
        path = urllib.parse.urlsplit(url).path
        if url in seen or queries[path] == 8:
            continue
        queries[path] += 1
        answer = requests.get(url, timeout=5)
        assert answer.status_code == 200, url
        seen[url] = None
        if not answer.headers["Content-Type"].startswith("text/html"):
            continue
        seen[url] = Page(answer.text)
        for link in seen[url].links:
            there = urllib.parse.urldefrag(
                urllib.parse.urljoin(url, link)).url
            if urllib.parse.urlsplit(there).netloc == host:
                todo.append(there)
    return seen


@pytest.mark.parametrize("prefix", ["/turnout", "/a/b"])
def test_every_link_works_under_a_prefix(site, directory, prefix):
    from stacklib.nginx import Nginx
    nginx = Nginx(directory, site.src, prefix=prefix,
                  fcgi_socket=site.fcgi.socket)
    nginx.start()
    try:
        seen = crawl(nginx.url() + "/?k=20")
        assert len(seen) > 20
        assert all(urllib.parse.urlsplit(url).path.startswith(prefix + "/")
                   for url in seen)
        kinds = {urllib.parse.urlsplit(url).path[len(prefix):].split("/")[1]
                 for url in seen}
        assert kinds >= {"", "events", "groups", "venues", "search", "static"}
        board = requests.get(nginx.url() + "/api/topk", timeout=5).json()
        assert len(board["events"]) == 10
        outside = nginx.url()[:-len(prefix)]
        assert requests.get(outside + "/api/topk",
                            timeout=5).status_code == 404
        bare = requests.get(nginx.url(), timeout=5, allow_redirects=False)
        assert bare.status_code in (200, 301, 302, 308)
    finally:
        nginx.stop()


# What a site may have said at http level, for programs of its own.
HOST = """http {
	fastcgi_intercept_errors on;
	fastcgi_cache_use_stale http_503 http_404 http_500 timeout error;
	expires 1h;
"""


@pytest.mark.parametrize("prefix", ["/turnout", ""])
def test_a_site_with_settings_of_its_own_changes_no_answer(
        site, directory, prefix):
    from stacklib.nginx import Nginx

    class Host(Nginx):
        def prepare(self):
            super().prepare()
            with open(self.conf) as f:
                text = f.read()
            assert text.count("\nhttp {\n") == 1
            with open(self.conf, "w") as f:
                f.write(text.replace("http {\n", HOST))

    nginx = Host(directory, site.src, prefix=prefix,
                 fcgi_socket=site.fcgi.socket, extra="""
        location ~ ^/api/ { return 418; }
        location ~ \\.php$ { return 418; }
        """)
    nginx.start()

    def ask(path):
        return requests.get(nginx.url() + path, timeout=5)

    try:
        assert ask("/api/topk?k=0").json()["param"] == "k"
        gone = ask("/api/events/nobody.php")
        assert gone.status_code == 404
        assert gone.json()["detail"] == "There is nothing with this id."
        assert ask("/events/nobody.php").status_code == 404
        for path in ("/api/topk", "/api/groups/100", "/api/venues/100",
                     "/api/members/100", "/api/events/b"):
            answer = ask(path)
            assert answer.status_code == 200, path
            assert "max-age=3600" not in answer.headers["Cache-Control"]
            assert "Expires" not in answer.headers
    finally:
        nginx.stop()


def test_every_link_works_at_the_root(site):
    seen = crawl(site.url + "/?k=20")
    assert len(seen) > 20
