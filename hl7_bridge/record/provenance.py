"""Who changed what by which message: a Provenance for what was made and one for what was changed.

FHIR R4 Provenance (https://hl7.org/fhir/R4/provenance.html); targets are versions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from hl7_bridge.mapping.model import Resource
from resources.instant import instant

_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


@dataclass(frozen=True)
class Source:
    """A message: who sent it (the name in the site kit), its MSH-10, and when it was received (ms since 1970 UTC)."""

    sender: str
    control_id: str
    received: int

    @cached_property
    def uri(self) -> str:
        """What meta.source of every version that it made says."""
        return f"urn:hl7v2:{quote(self.sender, safe='')}#{quote(self.control_id, safe='')}"


def provenance(source: Source, operation: str, targets: Sequence[str]) -> Resource:
    """``operation`` is CREATE or UPDATE, ``targets`` references to versions."""
    identifier = {"system": "urn:ietf:rfc:3986", "value": source.uri}
    transmitter = {"coding": [{"system": _PARTICIPANT, "code": "transmitter"}]}
    return {
        "resourceType": "Provenance",
        "meta": {"source": source.uri},
        "target": [{"reference": target} for target in targets],
        "recorded": instant(source.received),
        "activity": {"coding": [{"system": _OPERATION, "code": operation}]},
        "agent": [{"type": transmitter, "who": {"display": source.sender}}],
        "entity": [{"role": "source", "what": {"identifier": identifier}}],
    }
