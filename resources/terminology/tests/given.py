"""Small terminologies for the tests of this package."""

from typing import Any

from resources.terminology.code_system import CodeSystem

SYSTEM = "http://example.org/animals"
Json = dict[str, Any]


def concept(code: str, *children: Json, **more: Any) -> Json:
    return {"code": code, **more, **({"concept": list(children)} if children else {})}


def code_system(*concepts: Json, url: str = SYSTEM, **more: Any) -> Json:
    return {"resourceType": "CodeSystem", "url": url, "content": "complete", "concept": list(concepts), **more}


ANIMALS = code_system(
    concept(
        "animal",
        concept("cat", display="Cat", designation=[{"language": "de-AT", "value": "Katze"}]),
        concept("dog", concept("poodle", property=[{"code": "size", "valueInteger": 3}]), display="Dog"),
        property=[{"code": "notSelectable", "valueBoolean": True}],
    ),
    concept("dodo", display="Dodo", property=[{"code": "status", "valueCode": "retired"}]),
    name="Animals",
    version="1",
    caseSensitive=True,
)


def value_set(url: str = "", include: list[Json] | None = None, exclude: list[Json] | None = None) -> Json:
    compose: Json = {"include": include or []} | ({"exclude": exclude} if exclude else {})
    return {"resourceType": "ValueSet", "url": url, "compose": compose}


def listed(*codes: str, system: str = SYSTEM) -> Json:
    return {"system": system, "concept": [{"code": code} for code in codes]}


def chosen(property: str, op: str, value: str, system: str = SYSTEM) -> Json:
    return {"system": system, "filter": [{"property": property, "op": op, "value": value}]}


class Shelf:
    """A `Source` over resources at hand."""

    def __init__(self, *resources: Json) -> None:
        self.resources = resources

    def _of(self, type: str, url: str) -> list[Json]:
        return [r for r in self.resources if r["resourceType"] == type and url in ("", r["url"])]

    def value_set(self, canonical: str) -> Json | None:
        return next(iter(self._of("ValueSet", canonical)), None)

    def code_system(self, url: str, version: str = "") -> CodeSystem | None:
        return next(map(CodeSystem, self._of("CodeSystem", url)), None)

    def concept_maps(self, url: str) -> list[Json]:
        return self._of("ConceptMap", url)
