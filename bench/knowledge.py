"""Bars of what the server knows of FHIR R4: validation, FHIRPath and the three kinds of patch. No database."""

from collections.abc import Callable
from pathlib import Path

from bench.bar import Bar, Figure, Profile
from bench.samples import files, folder, resource
from resources.errors import FhirError, Invalid
from resources.fhirpath.tests import official_cases as fhirpath_cases
from resources.patch.tests import official_cases as patch_cases
from resources.validation import check
from resources.validation.tests.examples import TRULY_INVALID
from resources.validation.tests.planted import PLANTED, Planted
from resources.validation.tests.validator_cases import DISAGREEMENTS, agreement

VALIDATOR_SHARE, FHIRPATH_SHARE, XML_PATCH_SHARE = 0.92, 0.95, 0.90
PLANTED_ERRORS, CATEGORIES = 60, 17


def _validator(profile: Profile) -> Figure:
    agree, total, differ = agreement(folder("validator"))
    notes = tuple(f"{name}: {DISAGREEMENTS.get(name, 'NO REASON KNOWN')}" for name in differ)
    return Figure(_share(agree, total), agree >= VALIDATOR_SHARE * total and set(differ) <= DISAGREEMENTS.keys(), notes)


def _fhirpath(profile: Profile) -> Figure:
    reasons = fhirpath_cases.EXCEPTIONS
    return _cases(fhirpath_cases.outcomes(folder("fhirpath")), FHIRPATH_SHARE, reasons)


def _patch(outcomes: Callable[[Path], dict[str, str]], share: float) -> Callable[[Profile], Figure]:
    return lambda profile: _cases(outcomes(folder("patch")), share, {})


def _cases(outcomes: dict[str, str], share: float, reasons: dict[str, str]) -> Figure:
    failed = {name: why for name, why in outcomes.items() if why}
    passed = len(outcomes) - len(failed)
    notes = tuple(f"{name}: {reasons.get(name, why)}" for name, why in failed.items())
    return Figure(_share(passed, len(outcomes)), bool(outcomes) and passed >= share * len(outcomes), notes)


def _planted(profile: Profile) -> Figure:
    missed = [why for row in PLANTED if (why := _miss(row))]
    categories = {row.category for row in PLANTED}
    enough = len(PLANTED) >= PLANTED_ERRORS and len(categories) >= CATEGORIES
    text = f"{len(PLANTED) - len(missed)} of {len(PLANTED)} found in {len(categories)} categories"
    return Figure(text, enough and not missed, tuple(missed))


def _miss(row: Planted) -> str:
    """'' when the planted error is the one issue, at its place."""
    try:
        check(row.resource())
    except Invalid as error:
        found = [issue.expression for issue in error.issues]
        return "" if found == [row.expression] else f"{row.category}: {found} instead of {row.expression}"
    return f"{row.category}: {row.expression} not found"


def _false_positives(profile: Profile) -> Figure:
    names = [path for name in ("r4_examples", "us_core") for path in files(name, ".json", profile)]
    refused = {path.name: why for path in names if (why := _refusal(path))}
    wrong = {name: why for name, why in refused.items() if name not in TRULY_INVALID}
    broken = tuple(f"rightly refused: {name}: {TRULY_INVALID[name]}" for name in refused if name in TRULY_INVALID)
    text = f"{len(wrong)} of {len(names) - len(broken)} valid examples refused"
    return Figure(text, not wrong, tuple(f"{name}: {why}" for name, why in wrong.items()) + broken)


def _refusal(path: Path) -> str:
    try:
        check(resource(path))
    except FhirError as error:
        return str(error)
    return ""


def _share(part: int, total: int) -> str:
    return f"{part} of {total} ({100 * part / max(total, 1):.1f} %)"


BARS: tuple[Bar, ...] = (
    Bar("validator cases", ">= 92 % agree, each other with a reason", _validator),
    Bar("fhirpath suite", ">= 95 % pass", _fhirpath),
    Bar("fhirpath patch", "100 % pass", _patch(patch_cases.fhirpath_outcomes, 1.0)),
    Bar("json patch", "100 % pass", _patch(patch_cases.json_outcomes, 1.0)),
    Bar("xml patch", ">= 90 % pass", _patch(patch_cases.xml_outcomes, XML_PATCH_SHARE)),
    Bar("planted errors", ">= 60 in >= 17 categories, all found at the right place", _planted),
    Bar("false positives", "0 valid examples refused", _false_positives),
)
