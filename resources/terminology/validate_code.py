"""$validate-code: whether a code is in a value set or a code system, and whether it is called that.

FHIR R4 (https://hl7.org/fhir/R4/valueset-operation-validate-code.html, codesystem-operation-validate-code.html).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from resources.terminology.code_system import CodeSystem
from resources.terminology.compose import ANY, Expander, Member
from resources.terminology.designation import in_language, is_called
from resources.terminology.expansion import all_designations
from resources.terminology.parameters import parameter, parameters
from resources.terminology.source import Json, Source


class Coded(NamedTuple):
    """A code that is asked about; ``display`` '' where none was given."""

    system: str
    code: str
    display: str = ""

    def __str__(self) -> str:
        return f"{self.system}|{self.code}"[:300]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``display`` is what the concept is called; ``message`` says what is wrong or noticed."""

    result: bool
    message: str = ""
    display: str = ""

    def as_parameters(self) -> Json:
        return parameters(
            parameter("result", "Boolean", self.result),
            parameter("message", "String", self.message) if self.message else None,
            parameter("display", "String", self.display) if self.display else None,
        )


def in_value_set(
    source: Source, value_set: Json, asked: Sequence[Coded], *, abstract: bool = False, language: str = ""
) -> Json:
    """Parameters: one of ``asked`` (a CodeableConcept's codings) is in the value set, and each display given is right.

    Raises Unknown, BusinessRule, Invalid, TooCostly when the value set cannot be worked out.
    """
    members = Expander(source, open_systems=True).of(value_set)
    name = str(value_set.get("url") or value_set.get("id") or "given")
    found = [_member(source, members, coded, name, abstract, language) for coded in asked]
    return _best(found).as_parameters()


def _member(
    source: Source, members: dict[tuple[str, str], Member], coded: Coded, name: str, abstract: bool, language: str
) -> Verdict:
    known = source.code_system(coded.system)
    concept = known.find(coded.code) if known else None
    member = members.get((coded.system, concept.code if concept else coded.code))
    if member is None and (coded.system, ANY) in members:
        return in_code_system(known, coded, abstract=abstract, language=language)
    if member is None:
        unknown = "" if concept or not known or not known.enumerable else " It is no code of that code system at all."
        return Verdict(False, f"The code {coded} is not in the value set {name[:300]}.{unknown}")
    return _judged(member, coded, abstract, language)


def in_code_system(known: CodeSystem | None, coded: Coded, *, abstract: bool = True, language: str = "") -> Verdict:
    """Whether the code is one of the code system, and its display right."""
    if known is None:
        return Verdict(False, f"The CodeSystem {coded.system[:300]} is not stored here, so {coded} cannot be checked.")
    concept = known.find(coded.code)
    if concept is None:
        why = "" if known.enumerable else f" Only a part of it is stored here (content {known.content})."
        return Verdict(False, f"The code {coded.code[:100]} is not in the code system {known.url[:300]}.{why}")
    return _judged(Member(known.url, concept.code, "", known.version, concept), coded, abstract, language)


def _judged(member: Member, coded: Coded, abstract: bool, language: str) -> Verdict:
    designations = all_designations(member)
    own = member.concept.display if member.concept else ""
    display = in_language(member.shown, designations, language)
    if member.abstract and not abstract:
        return Verdict(False, f"The code {coded} is abstract: it groups others and is not chosen itself.", display)
    names = [*designations, {"value": own}]
    if coded.display and member.shown and not is_called(coded.display, member.shown, names):
        return Verdict(False, f"The display of {coded} is {display!r}, not {coded.display[:200]!r}.", display)
    note = f"The code {coded} is inactive." if member.inactive else ""
    return Verdict(True, note, display)


def _best(found: Sequence[Verdict]) -> Verdict:
    """A concept is in the set when one of its codings is, unless a coding that is in it has another display."""
    good = [verdict for verdict in found if verdict.result]
    wrong = [verdict for verdict in found if not verdict.result and verdict.display]
    if good and not wrong:
        return good[0]
    failed = wrong or found
    return Verdict(False, " ".join(verdict.message for verdict in failed), failed[0].display)


def best(found: Sequence[Verdict]) -> Json:
    """The answer for the codings of one concept."""
    return _best(found).as_parameters()
