"""Messages that tests make themselves."""

import json

MTIME = 1489925470960  # 2017-03-19T12:11:10.960Z


def message(rsvp_id, event_id, name="Picnic", *, mtime=MTIME, response="yes",
            guests=0, member=None, group=None, venue=None, **event):
    """The bytes of one; group and venue are dictionaries."""
    whole = {
        "rsvp_id": rsvp_id, "mtime": mtime, "response": response,
        "guests": guests,
        "event": {"event_id": event_id, "event_name": name, **event},
        "group": {"group_id": 7, "group_name": "Walkers", **(group or {})},
    }
    if member is not None:
        whole["member"] = member
    if venue is not None:
        whole["venue"] = venue
    return json.dumps(whole, ensure_ascii=False).encode()


def neighbour(number):
    """A good message of its own: RSVP 500000 + number, event goodNUMBER,
    one guest less than a family."""
    return message(500000 + number, f"good{number}", guests=2,
                   group={"group_id": 1000 + number})
