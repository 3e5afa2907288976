"""The access log: one JSON object a line."""

import json
import os

from fhir_server.http.access_log import AccessLog


def test_closed_reader_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    AccessLog(writer).write("r1", "GET", "read", "", 200, 0.0, 0)
    os.close(writer)


def test_line() -> None:
    reader, writer = os.pipe()
    log = AccessLog(writer)
    log.write("r1", "GET", "read", "Patient", 200, 0.00123, 42)
    log.write("r2", 'X"\n', "unrouted", "", 405, 1.0, 0)
    first, second = map(json.loads, os.read(reader, 10_000).splitlines())
    os.close(reader)
    os.close(writer)
    assert first["request_id"] == "r1"
    assert (first["interaction"], first["type"], first["status"]) == ("read", "Patient", 200)
    assert (first["ms"], first["bytes"]) == (1.23, 42)
    assert first["time"].endswith("Z")
    assert second["method"] == "other"
