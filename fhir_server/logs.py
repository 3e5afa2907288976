"""Log lines: one JSON object each, on standard error. Never a query, a body, an id of a resource or a token."""

import logging
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Time, level, logger, message and whatever ``extra`` carries; of an exception its type and place."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update((name, value) for name, value in vars(record).items() if name not in _OWN)
        if record.exc_info and record.exc_info[0]:
            # The text of an exception may quote a document or a row: only its class and frames are kept.
            line["error"], line["at"] = record.exc_info[0].__name__, raised_at(record.exc_info[2])
        return msgspec.json.encode(line, enc_hook=str).decode()


def raised_at(traceback: TracebackType | None) -> str:
    """File, line and function of the last frames, innermost first, without values."""
    places: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{traceback.tb_lineno}:{code.co_name}")
        traceback = traceback.tb_next
    return " < ".join(reversed(places[-8:]))


def start_logging(level: str) -> None:
    """Write log lines of ``level`` and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
