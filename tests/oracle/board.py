"""Boards: places by one measure."""

MEASURES = ("rsvps", "headcount")


def board(counts, k, by="rsvps"):
    """([(rank, event_id, rsvps, headcount)], tie_at_cutoff) of the counters
    {event_id: (rsvps, headcount)}.

    The larger count first, equal ones by the bytes of event_id.  Equal counts
    share a rank, and the next has as many before it as there are: 1, 1, 3.
    The cut lies in a tie when the first that is left out has the count of the
    last that is not.
    """
    measure = MEASURES.index(by)
    rows = sorted(counts.items(),
                  key=lambda row: (-row[1][measure], row[0].encode()))
    out = []
    for place, (event_id, both) in enumerate(rows[:k], 1):
        rank = place
        if out and out[-1][2 + measure] == both[measure]:
            rank = out[-1][0]
        out.append((rank, event_id, *both))
    tie = (len(rows) > k > 0
           and rows[k - 1][1][measure] == rows[k][1][measure])
    return out, tie


def ranks(counts, by="rsvps"):
    """{event_id: rank}: one more than there are with a larger count."""
    measure = MEASURES.index(by)
    sizes = sorted((both[measure] for both in counts.values()), reverse=True)
    first = {size: place for place, size in reversed(
        list(enumerate(sizes, 1)))}
    return {event_id: first[both[measure]]
            for event_id, both in counts.items()}
