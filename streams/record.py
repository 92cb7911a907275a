"""Records of a journal as bytes; the format is final. Pure: `streams.journal` does the files.

A record is 16 bytes, little endian (magic u8 0xC7 · kind u8 · length u16 · timestamp u32, ms of the stream ·
sequence u32 · crc32 u32 over the 12 bytes before it and the payload), then the payload. The checksum covers
the header, so that a tail of zeros after a power cut is no empty record.
"""

import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgspec

__all__ = [
    "END",
    "GAP",
    "HEAD",
    "HEADER_BYTES",
    "INBOUND",
    "KEY",
    "MARK",
    "MAX_PAYLOAD",
    "OUTBOUND",
    "PAUSE",
    "SENT",
    "TRACK_KIND",
    "WORDS",
    "Damaged",
    "Record",
    "pack",
    "parse",
]

HEAD, INBOUND, OUTBOUND, SENT, GAP, KEY, MARK, PAUSE, END, WORDS = range(10)
"""Kinds. HEAD, GAP, PAUSE, END and WORDS carry a JSON object; INBOUND, OUTBOUND and SENT (by us) mu-law
sound; KEY one `*`, never the key; MARK a name. A kind that a reader does not know is passed over."""

TRACK_KIND: Final = {"inbound": INBOUND, "outbound": OUTBOUND}

MAGIC: Final = 0xC7
HEADER_BYTES: Final = 16
MAX_PAYLOAD: Final = 0xFFFF
_FRONT = struct.Struct("<BBHII")
_CRC = struct.Struct("<I")
_pack_front = _FRONT.pack
_pack_crc = _CRC.pack


class Record(NamedTuple):
    """One record; `end` is the offset in bytes behind it."""

    kind: int
    timestamp_ms: int
    sequence: int
    payload: bytes
    end: int

    def facts(self) -> dict[str, Any]:
        """The JSON object of a HEAD, GAP, PAUSE, END or WORDS record; {} if it holds none."""
        try:
            value = msgspec.json.decode(self.payload)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}


class Damaged(Exception):
    """What follows is no record and will not become one."""


def pack(kind: int, timestamp_ms: int, sequence: int, payload: bytes) -> bytes:
    """One record. Raises struct.error when a number or the payload's length does not fit."""
    front = _pack_front(MAGIC, kind, len(payload), timestamp_ms, sequence)
    return front + _pack_crc(crc32(payload, crc32(front))) + payload


def parse(data: bytes, offset: int = 0) -> Iterator[Record]:
    """The whole records at the beginning of `data`, which lies at `offset` of its file.

    Ends before an unfinished record. Raises Damaged before a wrong one.
    """
    at, size = 0, len(data)
    while at + HEADER_BYTES <= size:
        magic, kind, length, timestamp_ms, sequence = _FRONT.unpack_from(data, at)
        end = at + HEADER_BYTES + length
        if magic == MAGIC and end > size:
            return
        payload = data[at + HEADER_BYTES : end]
        (crc,) = _CRC.unpack_from(data, at + _FRONT.size)
        if magic != MAGIC or crc != crc32(payload, crc32(data[at : at + _FRONT.size])):
            raise Damaged
        at = end
        yield Record(kind, timestamp_ms, sequence, payload, offset + end)
