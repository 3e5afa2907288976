"""Log lines: one JSON object each, on standard error. Never a query, a body, an id of a resource or a token."""

import logging
import sys
import time
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
            line["error"], line["at"] = _error(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def _error(exc_info: Any) -> tuple[str, list[str]]:
    # The text of an exception may quote a document or a row: only its class and frames are kept.
    kind, _, traceback = exc_info
    frames = []
    while traceback is not None:
        frames.append(f"{traceback.tb_frame.f_code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return kind.__name__, frames


def start_logging(level: str) -> None:
    """Write log lines of ``level`` and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
