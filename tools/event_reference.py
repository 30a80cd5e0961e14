#!/usr/bin/env python3
"""Writes tests/golden/events.tfevents, or with a FILE prints the events in it, one JSON object a line.

    python3 tools/event_reference.py [FILE]

By the published formats, with nothing shared with src/train/event_file.cpp: TFRecord framing
(tensorflow/core/lib/io/record_writer.h, crc32c.h) and the protobuf messages Event and Summary
(tensorflow/core/util/event.proto, framework/summary.proto).
"""

import json
import struct
import sys
from pathlib import Path

GOLDEN = Path("tests/golden/events.tfevents")


def crc32c(data):
    """Bit by bit, polynomial 0x1EDC6F41 reflected."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283  # the check value of the CRC catalogue


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value):
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def key(field, wire):
    return varint(field << 3 | wire)


def delimited(field, data):
    return key(field, 2) + varint(len(data)) + data


def event(wall_time, step, rest):
    return key(1, 1) + struct.pack("<d", wall_time) + key(2, 0) + varint(step) + rest


def scalars(values):
    return delimited(5, b"".join(
        delimited(1, delimited(1, tag.encode()) + key(2, 5) + struct.pack("<f", value)) for tag, value in values))


def record(data):
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def write_golden():
    events = [event(0.0, 0, delimited(3, b"brain.Event:2")),
              event(1700000000.25, 0, scalars([("validation/loss", 3.5)])),
              event(1700000001.5, 1, scalars([("train/loss", 0.1), ("train/lr", 2e-4)])),
              event(1700000002.75, 300, scalars([("train/loss", -1e-30), ("train/lr", 0.0)]))]
    GOLDEN.write_bytes(b"".join(record(e) for e in events))


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 0:
            value, at = read_varint(data, at)
        elif tag & 7 == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif tag & 7 == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        elif tag & 7 == 2:
            size, at = read_varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size
        else:
            raise ValueError(f"wire type {tag & 7}")
        yield tag >> 3, value


def read_event(data):
    out = {}
    for field, value in fields(data):
        if field == 5:
            for number, item in fields(value):
                assert number == 1
                parts = dict(fields(item))
                out[parts[1].decode()] = parts[2]
        else:
            name = {1: "wall_time", 2: "step", 3: "file_version"}[field]
            out[name] = value.decode() if isinstance(value, bytes) else value
    return out


def print_events(path):
    data, at = Path(path).read_bytes(), 0
    while at < len(data):
        length, crc = struct.unpack_from("<QI", data, at)
        assert crc == masked(data[at:at + 8]), f"CRC of the length at byte {at}"
        body = data[at + 12:at + 12 + length]
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == masked(body), f"CRC of the record at byte {at}"
        print(json.dumps(read_event(body)))
        at += 16 + length


if len(sys.argv) > 1:
    print_events(sys.argv[1])
else:
    write_golden()
