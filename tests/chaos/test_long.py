"""Rows E3 and E4: many daemons that come and go, and a database that stays
away.  Minutes in a campaign, seconds otherwise."""

import os
import time

import pytest
from cost import cpu_seconds, memory
from stacklib import proc

row = pytest.mark.row
CAMPAIGN = os.environ.get("TURNOUT_CHAOS") == "F"
PROMISED = 285  # s of stale answers: cache.stale_ms less a batch and a look


def lag_is_gone(w):
    ends, stored = w.ends(), w.stored()
    return stored is not None and sum(ends.values()) - sum(
        stored.values()) < 500


@row("E4", q=1, f=1, slice=1)
def test_postgres_is_away_for_long(storm, servers, trials, note):
    """Ingest waits without work or memory, boards are answered from Redis,
    marked stale, as long as promised; then all is made up for."""
    away = 600 if CAMPAIGN else 15
    s = storm(rate=500, away=True, audit=False)
    for _ in trials:
        ingest = s.ingest()
        s.advance(1000)
        assert s.readers.wait_for(200)
        servers.postgres.stop()
        begin, cpu = time.monotonic(), cpu_seconds(ingest.pid())
        refused, sizes = s.readers.refused, []
        try:
            while time.monotonic() < begin + away:
                if time.monotonic() < begin + PROMISED:
                    assert s.readers.refused == refused
                sizes.append(memory(ingest.pid()))
                time.sleep(0.5)
            cpu = (cpu_seconds(ingest.pid()) - cpu) / away
            backlog = sum(s.world.ends().values())
        finally:
            servers.postgres.start()
        backlog -= s.stored()
        begin = time.monotonic()
        limit = backlog / 10000 + 30
        assert proc.wait_until(lambda: lag_is_gone(s.world), limit, 0.1)
        took = time.monotonic() - begin
        note(seconds_away=away, backlog=backlog, caught_up=round(took, 1),
             cpu=f"{cpu:.2%}", MiB_first=round(sizes[len(sizes) // 2]),
             MiB_last=round(sizes[-1]), stale=s.readers.stale,
             refused=s.readers.refused)
        assert cpu < 0.02
        assert sizes[-1] < sizes[len(sizes) // 2] + 16 and max(sizes) < 256
        assert s.readers.stale > 0
        ingest.kill()
    s.ingest()
    s.judge()
