"""Whether a caller may see a resource at hand: the restriction asked of the document instead of the index.

FHIR R4 compartments (https://hl7.org/fhir/R4/compartmentdefinition.html). Reads, histories, writes and includes ask
here; a page asks again, because lists are named by hashes, and hashes may collide.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from itertools import repeat
from typing import TYPE_CHECKING

import msgspec

from fhir_server.search.link import references
from fhir_server.search.parameters import branches
from fhir_server.search.restriction import SHARED, Restriction, Rule, granted, own_branches, restriction
from fhir_server.store import Stored
from resources.definitions import RESOURCE_TYPES
from resources.literal_reference import local
from resources.main_patient import patient_of
from resources.search_param.matching import Subject, fits
from resources.search_param.terms import Entries, Key, Or, Post

if TYPE_CHECKING:
    from fhir_server.search.resolve import Resolver

_LABEL = b"v3-Confidentiality"
_Test = Callable[[Stored, str | None], bool]
"""Whether a row is seen; the second is its main patient, None where nobody looked."""
Name = tuple[str, str]
"""(type, id) of a resource."""


class View:
    """The record as the caller of ``resolver`` may see it. ``fresh`` are resources of a commit under way, which are
    inside and not stored yet."""

    __slots__ = ("_read", "_schedules", "caller", "fresh", "resolver")

    def __init__(self, resolver: "Resolver") -> None:
        self.resolver, self.caller = resolver, resolver.caller
        self.fresh: set[Name] = set()
        self._read: dict[Name, bool] = {}
        self._schedules: dict[Name, Stored | None] = {}

    def sees(self, row: Stored, permission: str) -> bool:
        """Whether ``row`` is inside what the caller may do by ``permission``; False for a type that is not open."""
        if not granted(self.caller, row.type, permission):
            return False
        found = restriction(self.caller, row.type, permission)
        return found is None or self.holds(found, row)

    def seen(self, rows: Iterable[Stored], permission: str, whose: Iterable[str] | None = None) -> list[Stored]:
        """Those of ``rows`` that the caller sees; each type is looked up once. ``whose`` are their main patients
        (`patient_of`), for who knows them already."""
        tests: dict[str, _Test | bool] = {}
        found = []
        for row, patient in zip(rows, repeat(None) if whose is None else whose, strict=whose is not None):
            test = tests.get(row.type)
            if test is None:
                test = tests[row.type] = self._test(row.type, permission)
            if test is True or (test is not False and test(row, patient)):
                found.append(row)
        return found

    def _test(self, type: str, permission: str) -> "_Test | bool":
        """What tells whether a row of ``type`` is seen, or the answer for all of them."""
        if not granted(self.caller, type, permission):
            return False
        found = restriction(self.caller, type, permission)
        if found is None:
            return True
        return partial(self._looked, found)

    def _looked(self, found: Restriction, row: Stored, whose: str | None) -> bool:
        """`holds`, most rows being told by a look at their text."""
        patient = patient_of(row.type, row.id, row.doc) if whose is None else whose
        return surely(found, row, patient) or self.holds(found, row)

    def holds(self, found: Restriction, row: Stored, entries: Entries | None = None) -> bool:
        """Whether the living ``row`` is inside ``found``; ``entries`` where they are at hand."""
        subject = Subject(row.type, row.id, row.updated, row.doc, entries)
        return any(self._meets(rule, row, subject) for rule in found.rules)

    def living(self, row: Stored | None) -> Stored | None:
        """``row``, or the version before it when it is a deletion."""
        if row is None or not row.deleted:
            return row
        return self.resolver.session.vread(row.type, row.id, row.version - 1, self.caller.tenant)

    def _meets(self, rule: Rule, row: Stored, subject: Subject) -> bool:
        if rule.patient and not rule.shared and not self._belongs(rule, row, subject):
            return False
        if rule.labels is not None and _LABEL in row.doc and fits(rule.labels, subject):
            return False
        return not rule.params or any(fits(term, subject) for term in rule.params)

    def _belongs(self, rule: Rule, row: Stored, subject: Subject) -> bool:
        if rule.linked:
            return _LINKS[row.type](self, rule, row, subject)
        if rule.quick and patient_of(row.type, row.id, row.doc) == rule.patient:
            return True
        return _is_member(rule, row, subject)

    # --- by link

    def _scheduled(self, rule: Rule, row: Stored, subject: Subject) -> bool:
        return _free_of_others(row, rule.patient)

    def _offered(self, rule: Rule, row: Stored, subject: Subject) -> bool:
        """A Slot shows when its Schedule is there and shows."""
        named = references(row.type, branches("Slot", "schedule"), row.doc)
        self._look_up(named)
        found = [self._schedules[name] for name in named]
        return bool(found) and all(of and not of.deleted and _free_of_others(of, rule.patient) for of in found)

    def _told(self, rule: Rule, row: Stored, subject: Subject) -> bool:
        """A Provenance whose target is the patient, or a resource about patients that can be read."""
        return _is_member(rule, row, subject) or self._any_read(
            references(row.type, branches("Provenance", "target"), row.doc)
        )

    def _attached(self, rule: Rule, row: Stored, subject: Subject) -> bool:
        """A Binary whose security context can be read, or that a DocumentReference which can be read is about."""
        context = local(_context.decode(row.doc).securityContext.reference)
        if context and (f"{context.type}/{context.id}" == rule.patient or self._any_read([context])):
            return True
        return bool(row.id) and self._documented(row.id)

    def _any_read(self, names: Iterable[Name]) -> bool:
        wanted = [(type, id) for type, id in names if type in patient_types() and granted(self.caller, type, "r")]
        if not self.fresh.isdisjoint(wanted):
            return True
        unknown = [name for name in dict.fromkeys(wanted) if name not in self._read]
        found = self.resolver.session.read_many(unknown, self.caller.tenant) if unknown else {}
        for name in unknown:
            row = found.get(name)
            self._read[name] = row is not None and not row.deleted and self.sees(row, "r")
        return any(self._read[name] for name in wanted)

    def _look_up(self, schedules: Iterable[Name]) -> None:
        unknown = [name for name in dict.fromkeys(schedules) if name not in self._schedules]
        found = self.resolver.session.read_many(unknown, self.caller.tenant) if unknown else {}
        self._schedules.update((name, found.get(name)) for name in unknown)

    def learn(self, type: str, rows: Iterable[Stored]) -> None:
        """Look up what many rows of ``type`` are linked to in one go."""
        if type == "Provenance":
            targets = branches("Provenance", "target")
            self._any_read(name for row in rows for name in references(type, targets, row.doc))
        elif type == "Slot":
            of = branches("Slot", "schedule")
            self._look_up(name for row in rows for name in references(type, of, row.doc))

    def _documented(self, id: str) -> bool:
        type, resolver = "DocumentReference", self.resolver
        if not granted(self.caller, type, "r"):
            return False
        urls = [f"Binary/{id}", f"{resolver.base}/Binary/{id}"]
        near, far = resolver.typed(type, Or(tuple(Post(key) for url in urls for key in _located(url))), "r")
        rows = resolver.executor.rows(type, near, far, MOST_DOCUMENTS)
        return any(f'Binary/{id}"'.encode() in row.doc and self.sees(row, "r") for row in rows)


MOST_DOCUMENTS = 1_000
"""DocumentReferences about one Binary that are looked at."""


class _Reference(msgspec.Struct, frozen=True, gc=False):
    reference: str = ""


class _Secured(msgspec.Struct, gc=False):
    securityContext: _Reference = _Reference()


_context = msgspec.json.Decoder(_Secured)

_LINKS: dict[str, Callable[[View, Rule, Stored, Subject], bool]] = {
    "Schedule": View._scheduled,
    "Slot": View._offered,
    "Provenance": View._told,
    "Binary": View._attached,
}


def surely(found: Restriction, row: Stored, whose: str) -> bool:
    """Whether the text of ``row``, whose main patient is ``whose``, tells that it is inside; if not, it may be."""
    if len(found.rules) != 1 or not row.doc:
        return False
    (rule,) = found.rules
    if rule.params or rule.linked:
        return False
    if rule.patient and not rule.shared and not (rule.quick and rule.patient == whose):
        return False
    return rule.labels is None or _LABEL not in row.doc


def _free_of_others(schedule: Stored, patient: str) -> bool:
    """Whether no other patient than ``patient`` (``Patient/1``) is an actor."""
    if b'"Patient/' not in schedule.doc:
        return True
    named = references("Schedule", own_branches("Schedule"), schedule.doc)
    return all(type != "Patient" or f"{type}/{id}" == patient for type, id in named)


def _is_member(rule: Rule, row: Stored, subject: Subject) -> bool:
    if row.type == "Patient" and f"Patient/{row.id}" == rule.patient:
        return True
    if rule.patient.encode() not in row.doc:
        return False
    return any(Key(row.type, branch, "ref", rule.patient) in subject.posts for branch in rule.branches)


@cache
def patient_types() -> frozenset[str]:
    """The types that hold patients' data and that other resources can be linked to."""
    return (
        frozenset(type for type in RESOURCE_TYPES if own_branches(type) or type == "Patient") - {"Provenance"} - SHARED
    )


class _Attachment(msgspec.Struct, frozen=True, gc=False):
    url: str = ""


class _Content(msgspec.Struct, gc=False):
    attachment: _Attachment = _Attachment()


class _Documented(msgspec.Struct, gc=False):
    content: list[_Content] = []


_documented = msgspec.json.Decoder(_Documented)


def attached(doc: bytes) -> list[str]:
    """The URLs of what a DocumentReference is about."""
    return [content.attachment.url for content in _documented.decode(doc).content if content.attachment.url]


def _located(url: str) -> Sequence[Key]:
    return [Key("DocumentReference", branch, "uri", url) for branch in branches("DocumentReference", "location")]


class FarLinked:
    """Tests rows one by one whether they belong to the patient by what they are linked to."""

    def __init__(self, view: View, type: str, patient: str) -> None:
        self.view, self.rule = view, Rule(type, patient, own_branches(type), linked=True)

    def keep(self, rows: Sequence[Stored]) -> set[int]:
        self.view.learn(self.rule.type, rows)
        of = (Subject(row.type, row.id, row.updated, row.doc) for row in rows)
        return {row.o for row, subject in zip(rows, of, strict=True) if self.view._belongs(self.rule, row, subject)}
