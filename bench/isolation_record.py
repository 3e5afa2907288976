"""A record in which patients are linked crosswise, and in plain Python who may see what of it.

FHIR R4 CompartmentDefinition patient (https://hl7.org/fhir/R4/compartmentdefinition-patient.html), read by eye: nothing
here is shared with the server, so that both can be wrong only in different ways.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Resource = dict[str, Any]
PATIENTS = tuple(f"p{n}" for n in range(6))
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
LABELS = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
CATEGORIES = ("laboratory", "vital-signs", "survey", "social-history")
CODES = ("a", "b", "c", "d")
WORDS = ("cough and fever", "fever", "a broken arm", "arm")
_NARRATED = frozenset({"Condition", "Observation", "Location", "DocumentReference"})
SHARED = ("Practitioner", "Organization", "Location", "Medication", "CodeSystem", "ValueSet")

# --- the record


def reference(text: str) -> Resource:
    return {"reference": text}


class Maker:
    """Makes resources that refer to those made before."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.made: list[Resource] = []

    def any(self, *types: str) -> Resource:
        found = [each for each in self.made if each["resourceType"] in types]
        chosen = self.chance.choice(found)
        return reference(f"{chosen['resourceType']}/{chosen['id']}")

    def maybe(self, likely: float, **elements: Callable[[], Any]) -> Resource:
        return {name: make() for name, make in elements.items() if self.chance.random() < likely}

    def patient(self) -> Resource:
        return reference(f"Patient/{self.chance.choice(PATIENTS)}")

    def coded(self, system: str, codes: Iterable[str]) -> Resource:
        code = self.chance.choice(list(codes))
        return {"coding": [{"system": system, "code": code, **self.maybe(0.5, display=lambda: f"{code} thing")}]}

    def day(self) -> str:
        return f"20{self.chance.randint(10, 20)}-{self.chance.randint(1, 12):02d}-{self.chance.randint(1, 28):02d}"

    def moment(self) -> str:
        return f"{self.day()}T{self.chance.randint(0, 23):02d}:00:00Z" if self.chance.random() < 0.7 else self.day()

    def make(self, type: str, id: str) -> None:
        resource = {"resourceType": type, "id": id, **_MAKERS[type](self)}
        if type in _NARRATED:
            word = self.chance.choice(WORDS)
            resource["text"] = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{word}</div>'}
        if self.chance.random() < 0.1:
            code = self.chance.choice(("R", "V", "N"))
            resource["meta"] = {"security": [{"system": LABELS, "code": code}]}
        self.made.append(resource)


def _family(maker: Maker) -> str:
    return maker.chance.choice(("Smith", "Jones", "Brown"))


def _observation(maker: Maker) -> Resource:
    return {
        "status": maker.chance.choice(("final", "amended")),
        "code": maker.coded("urn:code", CODES),
        "subject": maker.patient(),
        **maker.maybe(0.8, category=lambda: [maker.coded(CATEGORY, CATEGORIES)], effectiveDateTime=maker.moment),
        **maker.maybe(
            0.4,
            performer=lambda: [maker.any("Practitioner", "Patient", "Organization")],
            derivedFrom=lambda: [maker.any("Observation")],
            focus=lambda: [maker.patient()],
            encounter=lambda: maker.any("Encounter"),
            valueQuantity=lambda: {"value": maker.chance.randint(1, 9), "unit": "kg"},
        ),
    } if any(r["resourceType"] == "Observation" for r in maker.made) else {
        "status": "final", "code": maker.coded("urn:code", CODES), "subject": maker.patient(),
    }  # fmt: skip


def _terms(maker: Maker, url: str) -> Resource:
    """What value sets and code systems have alike; of one URL there are some, hidden from some callers."""
    return {
        "status": "active", "url": url, "version": str(maker.chance.randint(1, 3)),
        **maker.maybe(0.4, meta=lambda: {"security": [{"system": LABELS, "code": maker.chance.choice(("R", "V"))}]}),
    }  # fmt: skip


def _code_system(maker: Maker) -> Resource:
    """The codes, one below the other in an order that differs."""
    order, below = maker.chance.sample(CODES, len(CODES)), list[Resource]()
    for code in order:
        below = [{"code": code, **({"concept": below} if below else {})}]
    return {**_terms(maker, "urn:code"), "content": "complete", "concept": below}


def _value_set(maker: Maker) -> Resource:
    codes = [{"code": code} for code in maker.chance.sample(CODES, 2)]
    number = maker.chance.randint(1, 3)
    root = {"property": "concept", "op": "is-a", "value": maker.chance.choice(CODES)}
    included = maker.chance.choice(
        (
            {"system": "urn:code", "concept": codes},
            {"system": "urn:code", "filter": [root]},
            {"valueSet": [f"urn:vs{number + 1}"]} if number < 3 else {"system": "urn:code"},
        )
    )
    return {**_terms(maker, f"urn:vs{number}"), "compose": {"include": [included]}}


def _identified(maker: Maker) -> list[Resource]:
    type = {"coding": [{"system": "urn:type", "code": maker.chance.choice(("MR", "SS"))}]}
    return [{"type": type, "system": "urn:id", "value": str(maker.chance.randint(1, 3))}]


_MAKERS: dict[str, Callable[[Maker], Resource]] = {
    "Organization": lambda m: {"name": m.chance.choice(("Clinic", "Ward"))},
    "Practitioner": lambda m: {"name": [{"family": _family(m)}]},
    "Location": lambda m: {"name": m.chance.choice(("Room", "Hall")),
                           "position": {"latitude": 52 + m.chance.randint(0, 9) / 10, "longitude": 13},
                           **({"partOf": m.any("Location")} if "Location" in {r["resourceType"] for r in m.made}
                              else {})},
    "Medication": lambda m: {"code": m.coded("urn:drug", CODES)},
    "Patient": lambda m: {
        "name": [{"family": _family(m)}],
        "gender": m.chance.choice(("male", "female")),
        **m.maybe(0.5, managingOrganization=lambda: m.any("Organization")),
        **m.maybe(0.4, generalPractitioner=lambda: [m.any("Practitioner")]),
        **m.maybe(0.6, identifier=lambda: _identified(m)),
        **m.maybe(0.15, link=lambda: [{"other": m.patient(), "type": "seealso"}]),
    },
    "Encounter": lambda m: {"status": "finished", "class": {"code": "AMB"}, "subject": m.patient(),
                            **m.maybe(0.5, period=lambda: {"start": m.day()},
                                      location=lambda: [{"location": m.any("Location")}])},
    "Observation": _observation,
    "Condition": lambda m: {
        "subject": m.patient(), "code": m.coded("urn:code", CODES),
        **m.maybe(0.3, asserter=lambda: m.any("Patient", "Practitioner"), encounter=lambda: m.any("Encounter"),
                  evidence=lambda: [{"detail": [m.any("Observation")]}]),
    },
    "MedicationRequest": lambda m: {
        "status": "active", "intent": "order", "subject": m.patient(), "medicationReference": m.any("Medication"),
        **m.maybe(0.5, requester=lambda: m.any("Practitioner", "Patient")),
    },
    "Appointment": lambda m: {"status": "proposed", "participant": [
        {"actor": m.patient()}, {"actor": m.any("Practitioner", "Patient", "Location")}]},
    "Communication": lambda m: {"status": "completed", "subject": m.patient(),
                                **m.maybe(0.4, recipient=lambda: [m.patient(), m.any("Practitioner")],
                                          sender=m.patient)},
    "DocumentReference": lambda m: {
        "status": "current", "subject": m.patient(), **m.maybe(0.3, author=lambda: [m.patient()]),
        "content": [{"attachment": {"url": m.any("Binary")["reference"]}}],
    },
    "Binary": lambda m: {"contentType": "text/plain", **m.maybe(0.4, securityContext=m.patient)},
    "Device": lambda m: m.maybe(0.7, patient=m.patient),
    "Task": lambda m: {"status": "draft", "intent": "order", "for": m.patient(),
                       **m.maybe(0.6, focus=lambda: m.any("Observation", "Condition"))},
    "Group": lambda m: {"type": "person", "actual": True, "member": [{"entity": m.patient()}, {"entity": m.patient()}]},
    "List": lambda m: {"status": "current", "mode": "working", "source": m.patient(),
                       **m.maybe(0.7, subject=m.patient),
                       "entry": [{"item": m.any("Observation", "Condition", "Patient")} for _ in range(6)]},
    "Schedule": lambda m: {"actor": [m.any("Practitioner", "Patient", "Location")]},
    "Slot": lambda m: {"schedule": m.any("Schedule"), "status": m.chance.choice(("free", "busy")), "start": m.moment()},
    "Provenance": lambda m: {"target": [m.any("Observation", "Patient", "Condition", "Medication")
                                        for _ in range(m.chance.randint(1, 2))]},
    "CodeSystem": _code_system,
    "ValueSet": _value_set,
}  # fmt: skip
SIZES = {
    "Organization": 3, "Practitioner": 4, "Location": 5, "Medication": 4, "Patient": len(PATIENTS), "Encounter": 20,
    "Observation": 120, "Condition": 40, "MedicationRequest": 25, "Appointment": 15, "Communication": 15, "Binary": 15,
    "DocumentReference": 15, "Device": 10, "Task": 15, "Group": 4, "List": 12, "Schedule": 10, "Slot": 12,
    "Provenance": 40, "CodeSystem": 6, "ValueSet": 20,
}  # fmt: skip


def record(seed: int) -> list[Resource]:
    """All resources, in the order in which they are written."""
    maker = Maker(seed)
    for type, size in SIZES.items():
        for n in range(size):
            maker.make(type, f"p{n}" if type == "Patient" else f"{type.lower()}{n}")
    return maker.made


# --- who may see what


@dataclass(frozen=True)
class Rule:
    """``types`` ('*': all) of ``patient`` ('': of all), of one of ``categories`` (empty: of any), labelled or not."""

    types: tuple[str, ...]
    patient: str = ""
    categories: tuple[str, ...] = ()
    labelled: bool = True


MEMBERS: dict[str, tuple[str, ...]] = {
    "Observation": ("subject", "performer"),
    "Encounter": ("subject",),
    "Condition": ("subject", "asserter"),
    "MedicationRequest": ("subject",),
    "Appointment": ("participant.actor",),
    "Communication": ("subject", "sender", "recipient"),
    "DocumentReference": ("subject", "author"),
    "Device": ("patient",),
    "Task": ("for",),
    "List": ("subject",),
    "Patient": ("link.other",),
}


def values(resource: Resource, path: str) -> list[str]:
    """The references at ``path``."""
    nodes: list[Any] = [resource]
    for name in path.split("."):
        nodes = [node.get(name) for node in nodes if isinstance(node, dict)]
        nodes = [item for node in nodes for item in (node if isinstance(node, list) else [node])]
    return [node["reference"] for node in nodes if isinstance(node, dict) and "reference" in node]


@dataclass
class Oracle:
    """Says of each resource whether ``rules`` show it."""

    resources: list[Resource]
    rules: tuple[Rule, ...]
    known: dict[str, Resource] = field(init=False)

    def __post_init__(self) -> None:
        self.known = {f"{each['resourceType']}/{each['id']}": each for each in self.resources}

    def visible(self) -> list[Resource]:
        return [resource for resource in self.resources if self.sees(resource)]

    def grants(self, type: str) -> bool:
        return any("*" in rule.types or type in rule.types for rule in self.rules)

    def sees(self, resource: Resource) -> bool:
        return any(self._shown(rule, resource) for rule in self.rules)

    def _shown(self, rule: Rule, resource: Resource) -> bool:
        if "*" not in rule.types and resource["resourceType"] not in rule.types:
            return False
        if rule.patient and not self._belongs(rule.patient, resource):
            return False
        if not rule.labelled and _label(resource) in ("R", "V"):
            return False
        return not rule.categories or _category(resource) in rule.categories

    def _belongs(self, patient: str, resource: Resource) -> bool:
        type, own = resource["resourceType"], f"Patient/{patient}"
        if type in SHARED:
            return True
        if type == "Schedule":
            return all(not actor.startswith("Patient/") or actor == own for actor in values(resource, "actor"))
        if type == "Slot":
            return self._belongs(patient, self.known[values(resource, "schedule")[0]])
        if type == "Provenance":
            return own in values(resource, "target") or any(map(self._shows_patients, values(resource, "target")))
        if type == "Binary":
            return self._opens(own, resource)
        if type == "Patient" and resource["id"] == patient:
            return True
        return any(own in values(resource, path) for path in MEMBERS.get(type, ()))

    def _shows_patients(self, target: str) -> bool:
        return target.partition("/")[0] not in SHARED and target in self.known and self.sees(self.known[target])

    def _opens(self, own: str, binary: Resource) -> bool:
        context = values(binary, "securityContext")
        if context and (own in context or self._shows_patients(context[0])):
            return True
        documents = [each for each in self.resources if each["resourceType"] == "DocumentReference"]
        url = f"Binary/{binary['id']}"
        return any(each["content"][0]["attachment"]["url"] == url and self.sees(each) for each in documents)


def _label(resource: Resource) -> str:
    labels = resource.get("meta", {}).get("security", [])
    return str(labels[0]["code"]) if labels else ""


def _category(resource: Resource) -> str:
    found = resource.get("category", [])
    return str(found[0]["coding"][0]["code"]) if found else ""
