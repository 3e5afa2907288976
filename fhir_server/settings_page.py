"""docs/settings.md, written from the rows: ``python -m fhir_server.settings_page`` (``make docs``)."""

from pathlib import Path

from fhir_server.settings import SETTINGS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
_HEAD = """# Settings

Each is an option of every `hearth` command (`--page-count 20`) and a variable of the environment
(`HEARTH_PAGE_COUNT=20`), or stands in the file that `HEARTH_PAGE_COUNT_FILE` names; the command line wins.
`make docs` writes this page from the rows in `fhir_server/settings/rows.py`.

| name | default | what it does |
|---|---|---|
"""


def page() -> str:
    """The page as Markdown."""
    rows = (f"| `{row.name}` | {_shown(row.default)} | {row.documentation} |" for row in SETTINGS)
    return _HEAD + "\n".join(rows) + "\n"


def _shown(default: object) -> str:
    text = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
    return f"`{text}`" if text else "none"


if __name__ == "__main__":
    PAGE.write_text(page())
