"""All sample messages: no exception but ours, every field accounted for, every resource valid."""

from pathlib import Path

import pytest

from hl7_bridge.er7 import parse
from hl7_bridge.errors import Hl7Error
from hl7_bridge.mapping.account import account
from hl7_bridge.mapping.messages import finish, map_message, sketch
from hl7_bridge.site.model import Sender
from resources.errors import Invalid
from resources.validation import check

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/hl7v2"
SENDER = Sender("samples", authority="urn:oid:1.2.3", processing_ids=("P", "T", "D"))
FILES = sorted(path for path in SAMPLES.rglob("*") if path.suffix in (".hl7", ".txt")) if SAMPLES.is_dir() else []

pytestmark = [
    pytest.mark.samples,
    pytest.mark.skipif(not FILES, reason="the sample messages are not beside the checkout"),
]
FOLDERS = sorted({path.parent.name for path in FILES}) or ["none"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_samples(folder: str) -> None:
    """Each folder of samples; what cannot be read is refused with a reason."""
    faults: list[str] = []
    for path in FILES:
        if path.parent.name == folder:
            faults += _faults(path)
    assert faults == []


def _faults(path: Path) -> list[str]:
    try:
        message = parse(path.read_bytes(), "latin-1")
    except Hl7Error:
        return []
    places = {trace.place for trace in account(message, SENDER)}
    faults = [
        f"{path.name}: {message.place(segment, field)} is not accounted for"
        for segment in message.segments
        for field in segment.populated()
        if str(message.place(segment, field)) not in places
    ]
    entries = []
    try:
        draft = sketch(message, SENDER)
        entries = finish(draft).entries if draft is not None else []
        map_message(message, SENDER)
    except Hl7Error:
        pass
    for entry in entries:
        try:
            check(entry.resource)
        except Invalid as error:
            faults.append(f"{path.name}: {entry.resource['resourceType']}: {error.issues[0]}")
    return faults
