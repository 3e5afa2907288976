"""Coded values: CE, CWE, CNE, IS and ID as CodeableConcept, Coding or code.

HL7 v2.5.1 sections 2A.7 (CE), 2A.11 (CNE), 2A.13 (CWE), 2A.35 (ID), 2A.36 (IS); official map CWE[CodeableConcept].
"""

from collections.abc import Callable
from typing import Any

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.code_tables.tables import CodeTable, table
from hl7_bridge.mapping.model import Unmapped
from hl7_bridge.mapping.reading import LOCAL, Reading
from hl7_bridge.mapping.systems import system

Concept = dict[str, Any]

_TRIPLES = ((0, 1, 2, 6, 13), (3, 4, 5, 7, 16), (9, 10, 11, 12, 19))
"""Components of the three codings from 0: code, text, system, version, OID of the system."""

_COMPONENTS = 20
_EMPTY = [""] * _COMPONENTS


def concept(value: Value, reading: Reading) -> Concept | None:
    """A CodeableConcept: up to three codings and the original text; None when nothing is said."""
    texts = value.texts(_COMPONENTS)
    count = len(texts)
    texts = texts + _EMPTY[count:]
    codings = []
    for triple in _TRIPLES[: 1 if count < 4 else 2 if count < 10 else 3]:
        coding = _coding(texts, triple, reading)
        if coding:
            codings.append(coding)
    found: Concept = {"coding": codings} if codings else {}
    own = reading.override(texts[0]) if reading.sender.codes else None
    if own is not None:
        found["coding"] = [_shown(own.system, own.code, own.display), *codings]
    text = texts[8].strip()
    # A text without a code is what people read, so it stands where they look for it.
    if not text and codings and own is None and not any("code" in coding for coding in codings):
        text = codings[0]["display"]
        del found["coding"]
    if text:
        found["text"] = text
    return found or None


def service(value: Value, reading: Reading) -> Concept | None:
    """As ``concept``, of a field that says which test or service: without a code of a published system it is for the
    worklist."""
    found = concept(value, reading)
    if found is None:
        return None
    known = any(not each.get("system", LOCAL).startswith(LOCAL) for each in found.get("coding", ()))
    code = value.text(1).strip()
    if code and not known:
        reading.unmapped.append(Unmapped(reading.place, code, value.text(3), value.text(2), reading.place))
    return found


def _coding(texts: list[str], triple: tuple[int, int, int, int, int], reading: Reading) -> Concept | None:
    code, text = texts[triple[0]].strip(), texts[triple[1]].strip()
    if not code and not text:
        return None
    found: Concept = {}
    name = texts[triple[2]] or texts[triple[4]]
    if name and code:
        found["system"] = system(name, reading.scope)
    version = texts[triple[3]]
    if version:
        found["version"] = version
    if code:
        found["code"] = code if code.isalnum() else " ".join(code.split())
    if text:
        found["display"] = text
    return found


def _shown(uri: str, code: str, display: str) -> Concept:
    found = {"system": uri, "code": code}
    if display:
        found["display"] = display
    return {name: value for name, value in found.items() if value}


def coded(name: str) -> Callable[[Value, Reading], Concept | None]:
    """A function as ``concept`` whose first code is also translated by the table ``name``; the original stays."""
    rows = table(name)

    def translated(value: Value, reading: Reading) -> Concept | None:
        found = concept(value, reading)
        if found is None or "coding" not in found:
            return found
        return _with_table(found, value, rows, reading)

    return translated


def _with_table(found: Concept, value: Value, rows: CodeTable, reading: Reading) -> Concept:
    code, name = value.text(1).strip(), value.text(3)
    first = found["coding"][0] if found.get("coding") else None
    of_table = not name or (rows.number and system(name, "") == rows.system)
    if not code or first is None or not of_table:
        return found
    target = rows.codes.get(code)
    configured = (
        reading.translate(rows, code, value.text(2), name) if target is None or reading.sender.codes else target
    )
    if not name and target is not None and rows.system:
        first["system"] = rows.system
    if configured is not None and (configured.system, configured.code) != (first.get("system"), first.get("code")):
        found["coding"].insert(0, _shown(configured.system, configured.code, configured.display))
    elif configured is not None and configured.display and "display" not in first:
        first["display"] = configured.display
    return found


def _first(value: Value, reading: Reading) -> Concept | None:
    texts = value.texts(_COMPONENTS)
    return _coding(texts + _EMPTY[len(texts) :], _TRIPLES[0], reading)


def coding(value: Value, reading: Reading) -> Concept | None:
    """The first triple as a Coding."""
    return _first(value, reading)


def coding_of(name: str) -> Callable[[Value, Reading], Concept | None]:
    """A function that gives the Coding of the table ``name``; the code as it is when the table does not know it."""
    rows = table(name)

    def translated(value: Value, reading: Reading) -> Concept | None:
        code = value.text(1).strip()
        target = reading.translate(rows, code, value.text(2), value.text(3)) if code else None
        if target is not None:
            return _shown(target.system, target.code, target.display)
        found = _first(value, reading)
        if found and "system" not in found and "code" in found and rows.system:
            found["system"] = f"{reading.own(rows.number)}"
        return found

    return translated


def code_of(name: str) -> Callable[[Value, Reading], str | None]:
    """A function that gives the code of the table ``name``, for elements with a required binding; None when unknown."""
    rows = table(name)

    def translated(value: Value, reading: Reading) -> str | None:
        code = value.text(1).strip()
        target = reading.translate(rows, code, value.text(2), value.text(3)) if code else None
        return target.code if target is not None else None

    return translated


def boolean(value: Value, reading: Reading) -> bool | None:
    """ID of table 0136."""
    return {"Y": True, "N": False, "1": True, "0": False, "TRUE": True, "FALSE": False}.get(value.text().upper())


def text_concept(value: Value, reading: Reading) -> Concept | None:
    """ST as a CodeableConcept of text only."""
    text = value.whole if len(value) == 1 else value.text(2) or value.text(1)
    return {"text": text} if text.strip() else None


def coding_from(system_uri: str, code: str, display: str = "") -> Concept:
    """A Coding of three texts."""
    return _shown(system_uri, code, display)
