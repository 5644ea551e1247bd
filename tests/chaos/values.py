"""The values that turnout-fcgi keeps in Redis: read, and forged with a right
checksum (fcgi/envelope.c)."""

import ctypes
import ctypes.util
import struct

HEAD = struct.Struct("<IIIIQQQqqQ")
FIELDS = ("magic status type key_len body_len mark_at etag as_of_ms"
          " stored_ms checksum").split()
lib = ctypes.CDLL(ctypes.util.find_library("xxhash"))
lib.XXH3_64bits.restype = ctypes.c_uint64
lib.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
lib.XXH3_64bits_withSeed.restype = ctypes.c_uint64
lib.XXH3_64bits_withSeed.argtypes = [
    ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]


def head_of(value):
    return dict(zip(FIELDS, HEAD.unpack_from(value)))


def sealed(head, rest):
    """Head and rest (key and body) with the checksum that fits them."""
    bare = HEAD.pack(*[dict(head, checksum=0)[name] for name in FIELDS])
    seed = lib.XXH3_64bits(bare, len(bare))
    check = lib.XXH3_64bits_withSeed(rest, len(rest), seed)
    return bare[:-8] + struct.pack("<Q", check) + rest


def forged(value, **changes):
    """A value with other fields in its head; a number is added."""
    head = head_of(value)
    for name, more in changes.items():
        head[name] += more
    return sealed(head, value[HEAD.size:])


def whole(value, key):
    """Whether it is one that we put under that key."""
    return (value is not None and len(value) > HEAD.size
            and forged(value) == value
            and value[HEAD.size:].startswith(key))
