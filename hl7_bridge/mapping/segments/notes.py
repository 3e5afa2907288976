"""NTE to Annotation, by position: what it follows is what it is about.

HL7 v2.5.1 section 2.15.10 (NTE); official maps NTE[Observation], NTE[ServiceRequest].
"""

from hl7_bridge.er7 import Segment
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Resource
from hl7_bridge.mapping.rows import SET_ID, Row, SegmentMap, ignored

NTE = SegmentMap(
    "NTE",
    "Annotation",
    (
        SET_ID,
        ignored(2, "Who wrote it: the laboratory or the one who ordered; NTE-5 names the person."),
        Row(3, "text"),
        Row(5, "authorReference"),
        Row(6, "time"),
    ),
    official="NTE[Observation]",
)


def text(nte: Segment) -> str | None:
    """All repetitions as lines."""
    lines = [clean(value.whole) or "" for value in nte.all(3)]
    return clean("\n".join(lines)) if lines else None


def annotations(notes: list[Segment], draft: Draft) -> list[Resource]:
    """One Annotation for each NTE that says something."""
    found = []
    for nte in notes:
        if draft.trace is not None:
            draft.trace.uses(NTE, nte)
        said = text(nte)
        if said:
            found.append(_annotation(nte, said, draft))
    return found


def _annotation(nte: Segment, said: str, draft: Draft) -> Resource:
    made: Resource = {"text": said}
    author = practitioner(nte.first(5), draft) if nte.has(5) else None
    if author and "reference" in author:
        made["authorReference"] = author
    elif author:
        made["authorString"] = author["display"]
    at = date_time(nte.first(6), draft) if nte.has(6) else None
    if at:
        made["time"] = at
    return made


def lines(notes: list[Segment]) -> str | None:
    """All the notes as one text."""
    said = [each for nte in notes if (each := text(nte))]
    return "\n".join(said) or None
