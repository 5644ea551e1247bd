"""The file in which a broker keeps a partition: to cut it, to damage it.

A batch of records, format 2: base offset (8 bytes), length of what follows
(4), leader epoch (4), magic (1), CRC-32C (4) of all that follows, attributes
(2), last offset delta (4), ..., the records from byte 61 on.
"""

import collections
import contextlib
import glob
import os
import struct

HEAD = struct.Struct(">qiibIhi")
RECORDS = 61

Batch = collections.namedtuple("Batch", "first last position size")


class Segment:
    """The only one of a partition: tests do not fill two."""

    def __init__(self, broker, topic, part):
        self.dir = os.path.join(broker.home, "data", f"{topic}-{part}")
        self.path, = glob.glob(os.path.join(self.dir, "*.log"))

    def batches(self):
        with open(self.path, "rb") as f:
            data = f.read()
        position, found = 0, []
        while position + RECORDS <= len(data):
            first, length, _, magic, _, _, delta = HEAD.unpack_from(
                data, position)
            if length <= 0 or magic != 2:
                break  # not written yet
            found.append(Batch(first, first + delta, position, 12 + length))
            position += 12 + length
        return found

    def holding(self, offset):
        """The batch that has the record."""
        return next(b for b in self.batches() if b.last >= offset)

    def cut(self, offset):
        """As if nothing from about this record on had ever been written; the
        new end.  The broker is down; what it derives, it makes anew."""
        at = self.holding(offset)
        os.truncate(self.path, at.position)
        for kind in ("index", "timeindex", "snapshot"):
            for path in glob.glob(os.path.join(self.dir, "*." + kind)):
                os.unlink(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.dir, "leader-epoch-checkpoint"))
        return at.first

    def flip(self, batch, dice):
        """Turn a bit of it round, under the running broker; call what comes
        back to repair it."""
        place = batch.position + dice.randrange(RECORDS, batch.size)
        bit = 1 << dice.randrange(8)

        def turn():
            with open(self.path, "r+b") as f:
                f.seek(place)
                byte = f.read(1)[0]
                f.seek(place)
                f.write(bytes([byte ^ bit]))

        turn()
        return turn
