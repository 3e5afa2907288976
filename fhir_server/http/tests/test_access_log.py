"""The access log: one JSON object a line."""

import json
import os

from fhir_server.http.access_log import AccessLog, Line

FIRST = Line(1.5, "r1", "GET", "read", "Patient", 200, 0.00123, 42)
SECOND = Line(2.0, "r2", 'X"\n', "unrouted", "", 405, 1.0, 0)


def test_closed_reader_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    AccessLog(writer).write([FIRST])
    os.close(writer)


def test_line() -> None:
    reader, writer = os.pipe()
    AccessLog(writer).write([FIRST, SECOND])
    first, second = map(json.loads, os.read(reader, 10_000).splitlines())
    os.close(reader)
    os.close(writer)
    assert first["request_id"] == "r1"
    assert (first["interaction"], first["type"], first["status"]) == ("read", "Patient", 200)
    assert (first["ms"], first["bytes"]) == (1.23, 42)
    assert first["time"] == "1970-01-01T00:00:01.500Z"
    assert second["method"] == "other"


def test_no_write_is_longer_than_a_pipe_keeps_in_one_piece() -> None:
    reader, writer = os.pipe2(os.O_DIRECT)  # one read gives one write
    AccessLog(writer).write([FIRST] * 40)
    os.close(writer)
    parts = list(iter(lambda: os.read(reader, 100_000), b""))
    os.close(reader)
    assert len(parts) > 1
    assert all(len(part) <= 4096 and part.endswith(b"}\n") for part in parts)
    assert b"".join(parts).count(b"\n") == 40
