"""Log lines: JSON, with what ``extra`` carries, and never the text of an exception."""

import json
import logging

from fhir_server.logs import JsonLines


def line(**more: object) -> dict[str, object]:
    record = logging.makeLogRecord({"name": "hearth.x", "msg": "did %s", "args": ("it",), "levelname": "INFO", **more})
    found: dict[str, object] = json.loads(JsonLines().format(record))
    return found


def test_a_line_is_one_json_object() -> None:
    found = line(child="api", pid=7)
    assert found["message"] == "did it" and found["child"] == "api" and found["pid"] == 7 and found["level"] == "info"


def test_an_exception_shows_its_class_and_frames_only() -> None:
    try:
        raise ValueError("Okafor, born 1980")
    except ValueError as error:
        text = json.dumps(line(exc_info=(type(error), error, error.__traceback__)))
    assert "ValueError" in text and "test_logs.py:" in text and "Okafor" not in text
