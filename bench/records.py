"""Bars of the record: published bundles and examples go in over HTTP or by ``hearth load`` and come out as they were.

Every bar runs on each database, on a fresh store with a running API.
"""

import json
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.api_client import FHIR_JSON, FHIR_XML, Api, as_written
from bench.bar import Bar, Figure, Profile
from bench.microsoft_files import microsoft
from bench.record_graph import differences, sent_nodes, stored_nodes
from bench.samples import content, files
from bench.server import Server, serving
from resources.validation.tests.examples import TRULY_INVALID

Resource = dict[str, Any]
Attempt = Callable[[Server], list[str]]
MEDIA = {"json": FHIR_JSON, "xml": FHIR_XML}
SHOWN = 12
_UNRESOLVED = re.compile(r"[A-Z]\w+\?identifier=[^\"']+")


# --- Bundles by hearth load


def _load_all(name: str) -> Callable[[Profile], Figure]:
    def measure(profile: Profile) -> Figure:
        paths = _bundles(name, profile)
        bundles = [as_written(content(path)) for path in paths]
        what = f"{sum(len(bundle['entry']) for bundle in bundles)} resources of {len(bundles)} bundles"
        return _on_each(profile, lambda server: _loads(server, paths, bundles), what=what)

    return measure


def _bundles(name: str, profile: Profile) -> list[Path]:
    """The bundles to load; those that the others need are always among them."""
    everything = files(name, ".json", Profile("full", 1.0, ""))
    chosen = files(name, ".json", profile)
    return sorted({*chosen, *(path for path in everything if path.name.startswith("00_"))})


def _loads(server: Server, paths: Sequence[Path], bundles: Sequence[Resource]) -> list[str]:
    """Load ``paths`` while the API runs, then read every resource back; what went wrong."""
    status, said = _hearth_load(server, paths)
    problems = [f"hearth load ended with {status}: {said}"] if status else []
    return problems + _unlike(server, bundles)


def _hearth_load(server: Server, paths: Iterable[Path]) -> tuple[int, str]:
    """Exit status and summary of ``hearth load`` into the store that ``server`` serves."""
    command = [sys.executable, "-m", "fhir_server.cli", "load", "--quiet", "--database", server.database]
    command += ["--data-dir", str(server.log.parent), "--port", str(server.port), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, " ".join(done.stderr.split())


def _unlike(server: Server, bundles: Sequence[Resource], spaces: bool = True) -> list[str]:
    """How what is stored differs from the resources of ``bundles``."""
    api = Api(server.port)
    types = {entry["resource"]["resourceType"] for bundle in bundles for entry in bundle["entry"]}
    stored = (resource for type in sorted(types) for resource in api.everything(type))
    return differences(sent_nodes(bundles, spaces), stored_nodes(stored, spaces))


# --- Bundles whose conditional references have no target yet


def _conditional(profile: Profile) -> Figure:
    problems: list[str] = []
    for format in MEDIA:
        paths = files("synthea_2022_json_xml", f".{format}", profile, least=1)
        figure = _on_each(profile, lambda server, f=format, p=paths: _refused_then_loaded(server, p, f))  # type: ignore[misc]
        problems += [f"{format}, {problem}" for problem in figure.notes]
    text = "refused by name and nothing stored, then loaded and read back alike, from JSON and from XML"
    return Figure(text if not problems else f"{len(problems)} problems", not problems, tuple(problems))


def _refused_then_loaded(server: Server, paths: Sequence[Path], format: str) -> list[str]:
    # The JSON twin says what was sent; the XML one differs from it in the white space of narratives only.
    bundles = [as_written(content(Path(str(path).replace(".xml", ".json")))) for path in paths]
    wanted = [sorted(_conditional_references(bundle)) for bundle in bundles]
    problems = [
        problem
        for path, references in zip(paths, wanted, strict=True)
        for problem in _refusal_problems(server, content(path), MEDIA[format], references)
    ]
    status, said = _hearth_load(server, paths)
    problems += [] if status == 1 and "0 resources stored" in said else [f"hearth load ended with {status}: {said}"]
    problems += [f"not named by hearth load: {text}" for texts in wanted for text in texts if f"'{text}'" not in said]
    problems += _stored_despite(server, bundles)
    targets = _fixture({reference for references in wanted for reference in references})
    answer = Api(server.port).ask("POST", "", json.dumps(targets).encode())
    problems += [] if answer.status == 200 else [f"the fixture was answered {answer.status} {answer.body[:300]!r}"]
    status, said = _hearth_load(server, paths)
    problems += [f"hearth load with targets ended with {status}: {said}"] if status else []
    return problems + _unlike(server, [targets, *bundles], spaces=format == "json")


def _refusal_problems(server: Server, body: bytes, media: str, references: Sequence[str]) -> list[str]:
    answer = Api(server.port).ask("POST", "", body, sent=media)
    if answer.status != 422:
        return [f"a Bundle with unresolved references was answered {answer.status} {answer.body[:300]!r}"]
    issues = answer.json["issue"]
    placed = {issue["diagnostics"]: issue.get("expression", [""])[0] for issue in issues}
    unnamed = [text for text in references if not any(f"'{text}'" in issue for issue in placed)]
    astray = [text for text, place in placed.items() if not place.startswith("Bundle.entry[")]
    return [f"not named: {text}" for text in unnamed] + [f"without a place: {text}" for text in astray]


def _stored_despite(server: Server, bundles: Iterable[Resource]) -> list[str]:
    api = Api(server.port)
    types = {entry["resource"]["resourceType"] for bundle in bundles for entry in bundle["entry"]}
    left = [f"{type} stored by a refused Bundle" for type in sorted(types) if api.count(type)]
    return left + (["the history is not empty"] if api.ask("GET", "_history").json.get("entry") else [])


def _conditional_references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {found for item in value for found in _conditional_references(item)}
    if not isinstance(value, dict):
        return set()
    own = value.get("reference")
    inner = {found for item in value.values() for found in _conditional_references(item)}
    return inner | ({own} if isinstance(own, str) and _UNRESOLVED.fullmatch(own) else set())


def _fixture(references: Iterable[str]) -> Resource:
    """A transaction of bare Practitioners, Organizations and Locations that ``references`` will find."""
    entries = []
    for reference in sorted(references):
        type, _, criteria = reference.partition("?identifier=")
        system, _, value = criteria.partition("|")
        resource = {"resourceType": type, "identifier": [{"system": system, "value": value}], "name": f"{type} {value}"}
        if type == "Practitioner":
            resource["name"] = [{"family": value}]
        full_url = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, reference)}"
        entries.append({"fullUrl": full_url, "resource": resource, "request": {"method": "POST", "url": type}})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


# --- Official examples


def _examples(profile: Profile) -> Figure:
    paths = files("r4_examples", ".json", profile, least=25)
    attempt: Attempt = lambda server: _round_trips(Api(server.port), paths)  # noqa: E731
    return _on_each(profile, attempt, "--referential-integrity", "off", what=f"{len(paths)} examples")


def _round_trips(api: Api, paths: Iterable[Path]) -> list[str]:
    return [f"{path.name}: {why}" for path in paths if (why := _round_trip(api, path))]


def _round_trip(api: Api, path: Path) -> str:
    """'' when the example is accepted and JSON → store → XML → store → JSON gives it back, or is rightly refused."""
    body = content(path)
    sent = as_written(body)
    address = f"{sent['resourceType']}/{sent['id']}"
    if sent["resourceType"] == "AuditEvent":
        return _only_validated(api, address, body)
    answer = api.ask("PUT", address, body)
    if path.name in TRULY_INVALID:
        return "" if answer.status == 400 else f"answered {answer.status}, though {TRULY_INVALID[path.name]}"
    if answer.status != 201:
        return f"answered {answer.status} {answer.body[:300]!r}"
    first, xml = api.ask("GET", address), api.ask("GET", address, wanted=FHIR_XML)
    api.ask("DELETE", address)  # so that the XML is not taken for a repetition of what is there
    again = api.ask("PUT", address, xml.body, sent=FHIR_XML)
    if again.status not in (200, 201):
        return f"its XML was answered {again.status} {again.body[:300]!r}"
    second = api.ask("GET", address)
    changed = [n for n, reply in (("JSON", first), ("XML", second)) if _own(reply.json) != _own(sent)]
    return f"changed when read back from {' and '.join(changed)}" if changed else ""


def _only_validated(api: Api, address: str, body: bytes) -> str:
    """The audit trail takes no writes, as its capability says; an AuditEvent can be validated."""
    refused, validated = api.ask("PUT", address, body), api.ask("POST", "AuditEvent/$validate", body)
    if (refused.status, validated.status) != (405, 200) or b'"error"' in validated.body:
        return f"PUT answered {refused.status}, $validate {validated.status} {validated.body[:300]!r}"
    return ""


def _own(resource: Resource) -> Resource:
    """The resource without what the server sets: meta.versionId and meta.lastUpdated."""
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    return {name: value for name, value in resource.items() if name != "meta"} | ({"meta": meta} if meta else {})


# --- Files with a name that says what they are for


def _microsoft(profile: Profile) -> Figure:
    count = len(files("microsoft", "", Profile("full", 1.0, "")))
    attempt: Attempt = lambda server: microsoft(Api(server.port))  # noqa: E731
    return _on_each(profile, attempt, "--referential-integrity", "off", what=f"{count} files")


def _on_each(profile: Profile, attempt: Attempt, *options: str, what: str = "") -> Figure:
    """``attempt`` on every database of ``profile``, each with a fresh store; it gives what went wrong."""
    words: list[str] = []
    problems: list[str] = []
    for name, database in profile.databases.items():
        started = time.monotonic()
        with serving(database, *options, pinned=False) as server:
            found = attempt(server)
        words.append(f"{name}: {len(found)} problems in {time.monotonic() - started:.0f} s")
        problems += [f"{name}: {problem}" for problem in found]
    shown = problems[:SHOWN] + ([f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else [])
    return Figure((f"{what}; " if what else "") + "; ".join(words), not problems, tuple(shown))


BARS: tuple[Bar, ...] = (
    Bar("load synthea_2019", "0 failures, read back as sent", _load_all("synthea_2019")),
    Bar("load synthea_2021", "0 failures, read back as sent", _load_all("synthea_2021")),
    Bar("load synthea_2022", "atomic refusal by name; then JSON and XML alike", _conditional),
    Bar("official examples", "valid ones accepted; JSON, store, XML, JSON unchanged", _examples),
    Bar("microsoft files", "each as its name says", _microsoft),
)
