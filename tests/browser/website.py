"""The site that the tests here look at: real servers, recent messages.

It is served twice by the same pool, under a prefix and at the root of its
host, and most of what is asked of it is asked under the prefix.
"""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request

from names import EVENT_IDS, NAMES
from stacklib.nginx import Nginx
from stacklib.stack import Stack

PREFIX = "/turnout"
DAY_MS = 86400000
# nginx says these where no test can make it mean them.
REFUSALS = """
error_page 429 502 {prefix}/errors/page;
location = {prefix}/refused/429 {{ return 429; }}
location = {prefix}/refused/502 {{ return 502; }}
"""


def message(rsvp_id, event_id, mtime, name, group=None, venue=None,
            response="yes", guests=0, time_ms=None):
    whole = {
        "rsvp_id": rsvp_id, "mtime": mtime, "response": response,
        "guests": guests,
        "event": {"event_id": event_id, "event_name": name,
                  "time": time_ms or mtime + 3 * DAY_MS,
                  "event_url": "https://example.org/?a=1&b=2"},
        "group": {"group_id": 7, "group_name": "Walkers",
                  "group_urlname": "walkers", "group_city": "Gent",
                  "group_country": "be", "group_lat": 51.05,
                  "group_lon": 3.72, **(group or {})},
    }
    if venue is not None:
        whole["venue"] = venue
    return json.dumps(whole).encode()


def hostile(now, people=60):
    """Every name as an event's, its group's, its city's and its venue's;
    each with so many RSVPs or some more, by the hour before now."""
    events = [(f"evil{n:02}", name) for n, name in enumerate(NAMES)]
    events += [(event_id, "an odd id") for event_id in EVENT_IDS]
    lines = []
    for n, (event_id, name) in enumerate(events):
        group = {"group_id": 9000 + n, "group_name": name,
                 "group_urlname": name, "group_city": name,
                 "group_state": name,
                 "group_topics": [{"urlkey": name, "topic_name": name}]}
        venue = {"venue_id": 9000 + n, "venue_name": name, "lat": 51.05,
                 "lon": 3.72}
        for person in range(people + n // 3):
            lines.append(message(
                n * 1000 + person + 1, event_id,
                now - 60000 - person * 1300000, name, group, venue,
                guests=person % 3))
    return lines


def crowd(build, now, count=3000, seed=1, days=2):
    """Lines of tests/rsvpgen; their mtimes spread over the last days."""
    done = subprocess.run(
        [os.path.join(build, "tests", "rsvpgen"), f"--count={count}",
         f"--seed={seed}", "--events=400", "--start", str(now)],
        stdout=subprocess.PIPE, check=True)
    lines = []
    for n, line in enumerate(done.stdout.splitlines()):
        whole = json.loads(line)
        whole["mtime"] = now - int(days * DAY_MS * (1 - n / count)) - 1000
        lines.append(json.dumps(whole).encode())
    return lines


class Site:
    """url, at_root   where nginx serves it
    prefix      of url
    stack       its servers
    """

    def __init__(self, extra=""):
        self.extra = extra  # more locations, for a benchmark
        self.now = int(time.time() * 1000)
        self.prefix = PREFIX
        self.stack = Stack(broker="mock", redis=1, workers=3, quiet=True,
                           prefix=PREFIX)
        self.root = None
        self.ordinary = None

    def up(self):
        self.stack.nginx.extra = \
            REFUSALS.format(prefix=PREFIX) + self.extra
        self.stack.up()
        place = os.path.join(self.stack.dir, "root")
        os.makedirs(place, mode=0o755)
        self.root = Nginx(place, self.stack.settings["src"],
                          fcgi_socket=self.stack.fcgi.socket).start()
        self.url, self.at_root = self.stack.nginx.url(), self.root.url()
        return self

    def down(self):
        if self.root is not None:
            self.root.stop()
        self.stack.down()

    def fill(self, lines):
        """By the daemon's own import: an embedded broker keeps little."""
        path = os.path.join(self.stack.dir, "lines.ndjson")
        with open(path, "wb") as f:
            f.write(b"".join(line + b"\n" for line in lines))
        ingest = self.stack.ingest
        subprocess.run([ingest.program, "-c", ingest.conf, "import", "-q",
                        path], check=True, stdout=subprocess.DEVNULL,
                       env=ingest.environment())

    def feed(self, lines):
        """By the stream; all of it is counted on return."""
        path = os.path.join(self.stack.dir, "more.ndjson")
        with open(path, "wb") as f:
            f.write(b"".join(line + b"\n" for line in lines))
        self.stack.feed(path)

    def get(self, path, method="GET"):
        """(status, bytes) of a page, past no cache but nginx's."""
        request = urllib.request.Request(
            self.url + path, method=method,
            data=b"x=1" if method == "POST" else None)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def json(self, path):
        status, body = self.get(path)
        assert status == 200, (path, body)
        return json.loads(body)

    def known(self):
        """{event, group, venue, city} of the first ordinary event."""
        odd = {f"evil{n:02}" for n in range(len(NAMES))} | set(EVENT_IDS)
        event = next(
            e for e in self.json("/api/topk?k=1000")["events"]
            if e["event_id"] not in odd and e.get("venue") and e.get("group"))
        return {"event": event["event_id"],
                "group": event["group"]["group_id"],
                "venue": event["venue"]["venue_id"],
                "city": event["group"]["city"]}

    def path(self, kind):
        """The address of a kind of page."""
        if self.ordinary is None:
            self.ordinary = self.known()
        return kind.path.format(**self.ordinary)

    def asked(self):
        """The lines of nginx's access log under the prefix, so far."""
        with open(self.stack.nginx.access_log) as f:
            return f.read().splitlines()
