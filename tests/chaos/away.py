"""PostgreSQL fails both daemons: what they say of it, and when it is over.

    seen = Seen(s, ingest)
    ... a fault ...
    seen.wait()                     # both have met it
    ... its end ...
    pool_is_back(s)
"""

import itertools
import json

from asking import Met, ask
from stacklib import proc

RETRIES = "turnout_ingest_retries_total"
RESOLVED = "turnout_ingest_resolved_total"
DB_UP = "turnout_ingest_db_up"
DB_ERRORS = "turnout_fcgi_db_errors_total"

# Boards that no cache can have: readers.py asks for others.
NEW = itertools.cycle(range(101, 1001))


def through(proxy, world, user="turnout_ingest"):
    """A daemon's way to PostgreSQL, by a proxy."""
    directory = proxy.path.rpartition("/")[0]
    return {"conninfo": f"host={directory} port=5432 dbname={world.name}"
                        f" user={user}"}


def backends(s, *roles):
    """{pid: start time} of the backends that this world's daemons have."""
    found = s.world.query(
        "SELECT pid FROM pg_stat_activity WHERE usename = ANY(%s)"
        " AND datname = current_database()", list(roles))
    return {pid: proc.start_time(pid) for pid, in found}


def end_backends(s, *roles):
    """Terminates them; all are gone on return."""
    found = backends(s, *roles)
    assert found, f"{roles} are not connected"
    s.world.query("SELECT pg_terminate_backend(pid)"
                  " FROM unnest(%s) AS pid", list(found))
    assert proc.wait_until(
        lambda: all(began is None or proc.start_time(pid) != began
                    for pid, began in found.items()), 20)
    return found


def troubles(ingest):
    """Batches that were tried again, and COMMITs of unknown outcome."""
    return sum(value for name, value in ingest.metrics().items()
               if name.startswith((RETRIES, RESOLVED)))


class Seen:
    """Whether the daemons met a fault since this was made."""

    def __init__(self, s, ingest, pool=True):
        self.s, self.ingest = s, ingest
        self.before = troubles(ingest)
        self.pool = Met(s.world) if pool and s.readers else None

    def by_ingest(self, times=1):
        return troubles(self.ingest) >= self.before + times \
            or self.ingest.metrics()[DB_UP] == 0

    def wait(self, times=1, seconds=30):
        assert proc.wait_until(lambda: self.by_ingest(times), seconds), \
            "ingest met nothing\n" + self.s.logs()
        if self.pool:
            self.pool.wait_for(DB_ERRORS, seconds=seconds)


def pool_is_back(s, seconds=4):
    """What no cache has is answered, and is new; the promise is 2 s, and two
    busy cores have as many more."""
    if not s.readers:
        return

    def new():
        answer = ask(s.world.fcgi.socket, "/api/topk", f"k={next(NEW)}")
        return answer.status == 200 and not json.loads(answer.body)["stale"]

    assert proc.wait_until(new, seconds), "the pool is away\n" + s.logs()
