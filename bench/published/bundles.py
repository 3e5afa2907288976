"""Patients of the sample data as transaction Bundles, as Synthea writes them: entries by urn:uuid, new ones each time.

FHIR R4 transactions (https://hl7.org/fhir/R4/http.html#transaction). Hospitals and staff that others refer to as well
are either named by identifier (``conditional``), or come in each Bundle.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bench.published.record import Sample
from bench.scaled import SHARERS, Copy, Resource, Template
from resources import json_codec

FIRST = SHARERS << 20
"""Copies from here on are in no record."""
STAFF = "urn:bench:staff"
"""System of the identifier by which Bundles name hospitals and staff: their own are not unique among copies."""
_LINK = re.compile(r'"reference":\s*"([A-Z]\w+)/([0-9a-f-]{36})"')


def _entry(resource: Resource, method: str = "POST") -> dict[str, Any]:
    type, id = resource["resourceType"], resource["id"]
    request = {"method": method, "url": type if method == "POST" else f"{type}/{id}"}
    return {"fullUrl": f"urn:uuid:{id}", "resource": resource, "request": request}


def _bundle(entries: Sequence[dict[str, Any]]) -> bytes:
    return json_codec.encode({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _targets(template: Template) -> Iterator[str]:
    """Ids of the shared resources that a template refers to, as it has them."""
    return (what for kind, what in (p for p in template.parts if not isinstance(p, str)) if kind == "shared")


def _shared(of: Sequence[Sequence[Template]]) -> dict[str, Template]:
    return {template.id: template for bundle in of for template in bundle if template.shared}


def staff(sample: Sample) -> tuple[bytes, int]:
    """A transaction that stores all hospitals and staff under their own ids, and its entries."""
    copy = Copy(FIRST, sample.templates)
    list(copy.bundles())  # dates move by what the last bundle has
    resources = [copy.resource(template) for template in _shared(copy.of).values()]
    for resource in resources:
        own = {"system": STAFF, "value": resource["id"]}
        resource["identifier"] = [*resource.get("identifier", ()), own]
    return _bundle([_entry(resource, "PUT") for resource in resources]), len(resources)


def transactions(sample: Sample, number: int, step: int, conditional: bool) -> Iterator[tuple[bytes, int]]:
    """Bundles and their entries without end; clients of other numbers below ``step`` get others.

    ``conditional`` ones name staff by identifier, the others have them among their entries.
    """
    turn = number
    while True:
        # All are of one group of copies, so that the staff of the first copy is theirs.
        copy = Copy(FIRST + turn % SHARERS, sample.templates)
        shared = _shared(copy.of)
        for bundle in copy.bundles():
            own = [template for template in bundle if not template.shared]
            if own:
                needed = [] if conditional else _needed(own, shared)
                yield _transaction([copy.resource(template) for template in (*needed, *own)])
        turn += step


def _needed(own: Sequence[Template], shared: dict[str, Template]) -> list[Template]:
    """Whatever of the shared ``own`` refer to, and those to others."""
    found: dict[str, Template] = {}
    todo = list(own)
    while todo:
        for id in _targets(todo.pop()):
            if id in shared and id not in found:
                found[id] = shared[id]
                todo.append(shared[id])
    return list(found.values())


def _transaction(resources: Sequence[Resource]) -> tuple[bytes, int]:
    within = {resource["id"] for resource in resources}

    def link(match: "re.Match[str]") -> str:
        type, id = match.groups()
        target = f"urn:uuid:{id}" if id in within else f"{type}?identifier={STAFF}|{id}"
        return f'"reference":"{target}"'

    text = _LINK.sub(link, _bundle([_entry(resource) for resource in resources]).decode())
    return text.encode(), len(resources)
