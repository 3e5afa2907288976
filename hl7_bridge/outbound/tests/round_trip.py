"""A resource sent and read again: what of it is lost, and values for resources full of HL7's own delimiters."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from hl7_bridge.er7 import parse
from hl7_bridge.mapping.messages import map_message
from hl7_bridge.mapping.model import Mapped
from hl7_bridge.outbound.events import Outgoing
from hl7_bridge.outbound.rendering import render
from hl7_bridge.outbound.tests.record import ALL, Json
from hl7_bridge.site.model import Receiver, Sender, Site
from resources import json_codec
from resources.repository import Version
from resources.validation import check

SITE = Site(facility="GENERAL", authorities={"HOSP": "urn:oid:1.2.3.4"})
RECEIVER = Receiver("127.0.0.1", 2575, name="peer", application="PEER", facility="NORTH")
PEER = Sender("peer", authority="urn:id:NAT")


def there_and_back(resource: Json, outgoing: Outgoing, more: Json | None = None) -> Mapped:
    """What a peer that is like us makes of the message about ``resource``; every resource of it is valid."""
    known = {**ALL, **(more or {})}
    version = Version(resource["resourceType"], resource["id"], 1, 1_767_348_000_000, json_codec.encode(resource))
    found = map_message(parse(render(SITE, RECEIVER, version, resource, outgoing, known.get)[1]), PEER)
    for entry in found.entries:
        check(entry.resource)
    return found


class Comparison:
    """What of one resource is lost in another, references by whom they mean."""

    def __init__(self, found: Mapped, more: Json | None = None) -> None:
        self.known = {**ALL, **(more or {})}
        self.entries = {entry.url: entry for entry in found.entries}

    def lost(self, sent: Any, got: Any, path: str = "") -> list[str]:
        """The places of leaves in ``sent`` that ``got`` does not say."""
        if isinstance(sent, dict) and isinstance(got, dict):
            if "reference" in sent:
                return [] if self._same_target(sent, got) else [path]
            return [each for name, value in sent.items() for each in self.lost(value, got.get(name), f"{path}.{name}")]
        if isinstance(sent, list) and isinstance(got, list):
            return [each for at, value in enumerate(sent) for each in self._lost_item(value, got, f"{path}[{at}]")]
        return [] if same(sent, got) else [f"{path}: {sent!r}, not {got!r}"]

    def _lost_item(self, value: Any, got: list[Any], path: str) -> list[str]:
        """Nothing when any item says all of it; else what the most similar one lacks."""
        found = [self.lost(value, other, path) for other in got]
        return min(found, key=len) if found else [path]

    def _same_target(self, sent: Json, got: Json) -> bool:
        target = self.known[sent["reference"]]
        entry = self.entries.get(got.get("reference", ""))
        if entry is None:
            return got.get("identifier", {}).get("value") in names(target)
        if target["resourceType"] == "Medication":
            covered = {name: target[name] for name in ("code", "form", "ingredient") if name in target}
            return not self.lost(covered, entry.resource)
        return bool(names(target) & names(entry.resource))


def names(resource: Json) -> set[str]:
    """Values of identifiers, or the id that stands for them."""
    stated = [*resource.get("identifier", ()), resource.get("masterIdentifier", {})]
    given = {each["value"] for each in stated if "value" in each}
    return given or {resource["id"]}


def same(sent: Any, got: Any) -> bool:
    """Whether two leaves say the same: numbers by value, times by the moment."""
    if isinstance(sent, bool) or isinstance(got, bool) or sent is None or got is None:
        return sent is got
    if isinstance(sent, int | float | Decimal) and isinstance(got, int | float | Decimal):
        return Decimal(str(sent)) == Decimal(str(got))
    return bool(sent == got) or _moment(sent) == _moment(got) is not None


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if "T" in text else None
    except (TypeError, ValueError):
        return None


# --- values

Drawn = Callable[[], Any]

_MARKS = '|^~\\&#"\n {}.,:;<>=-+/äß漢😀XFSTRE'


def _kept(text: str) -> bool:
    """No space around, which HL7 does not keep."""
    return text == text.strip() and text != ""


texts = st.text(st.sampled_from(_MARKS + "abcMSHPID0123456789"), min_size=1, max_size=20).filter(_kept)
words = st.text(st.sampled_from('|^~\\&#"äabcXYZ019.-_'), min_size=1, max_size=10)
systems = st.sampled_from(
    [
        "http://loinc.org",
        "http://snomed.info/sct",
        "http://www.nlm.nih.gov/research/umls/rxnorm",
        "http://hl7.org/fhir/sid/ndc",
        "http://example.org/codes",
        "urn:oid:1.2.3.4.5",
        "urn:id:LAB:codes",
    ]
)
codings = st.fixed_dictionaries({"system": systems, "code": words, "display": texts})
concepts = st.one_of(
    st.builds(lambda text: {"text": text}, texts),
    st.builds(lambda found: {"coding": found}, st.lists(codings, min_size=1, max_size=2)),
    st.builds(lambda found, text: {"coding": found, "text": text}, st.lists(codings, min_size=1, max_size=2), texts),
)
amounts = st.decimals(min_value=0, max_value=100000, places=3)
units = st.one_of(
    st.just({}),
    st.builds(lambda text: {"unit": text}, texts),
    st.just({"unit": "milligram", "system": "http://unitsofmeasure.org", "code": "mg"}),
    st.just({"unit": "Capsule", "system": "http://snomed.info/sct", "code": "385049006"}),
)
quantities = st.builds(lambda value, unit: {"value": value, **unit}, amounts, units)
moments = st.builds(
    lambda at, zone: at.strftime("%Y-%m-%dT%H:%M:%S") + zone,
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)),
    st.sampled_from(["Z", "+05:30", "-08:00"]),
)
numbers = st.sampled_from(["urn:id:EHR", "urn:oid:1.2.3", "http://example.org/numbers", "urn:id:NPI", "urn:id:A%20B"])


def identifiers(kind: str) -> st.SearchStrategy[Json]:
    """Identifiers of table 0203's ``kind``."""
    typed = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": kind}]}
    return st.builds(lambda system, value: {"type": typed, "system": system, "value": value}, numbers, words)


def some(**elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Any of ``elements``, none needed."""
    return st.fixed_dictionaries({}, optional=elements)
