"""What a person is asked when an app wants access, and the scopes that their answers come to.

SMART App Launch 2.2, Scopes and Launch Context; ONC (g)(10): a person may take away any resource type and narrow it to
sub-resource categories. The answers never come to more than was asked.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from smart_auth.model import Context, Person
from smart_auth.scopes import plain_words
from smart_auth.scopes.algebra import Params, ResourceScope, Scopes, intersect, ordered, parse

ALLOW = "allow"
EVERYTHING = "*"
GROUPS = ("patient", "user")


class Option(msgspec.Struct, frozen=True):
    """A checkbox. ``kind`` is ``action`` (what may be done), ``part`` (of which entries) or ``allow`` (a plain yes)."""

    value: str
    label: str
    checked: bool = True
    kind: str = "action"


class Question(msgspec.Struct, frozen=True):
    """A row of the consent page: ``key`` names its checkboxes in the form. One without options only informs.

    ``group`` is ``special``, ``patient`` or ``user`` and ``about`` whose data it is, in plain words. ``scopes`` are
    the scopes asked that the row speaks of. Of a row with parts at least one action and one part must be ticked for
    it to grant anything; the part ``*`` is all of it, unless some other parts are ticked beside it. ``whole`` marks
    the row of a wildcard: it grants only when nothing in its group is taken away.
    """

    key: str
    label: str
    explanation: str
    options: tuple[Option, ...]
    group: str
    about: str = ""
    scopes: tuple[str, ...] = ()
    whole: bool = False


def questions(requested: str, person: Person, context: Context) -> list[Question]:
    """The rows for what an app asks: special scopes, then each group's resource types.

    What is malformed and system/ scopes, which no person can give, have none. A wildcard is told as one row per type
    of ``plain_words.TYPES``, and one for all else.
    """
    scopes = parse(requested)
    rows = [_special(scope) for scope in scopes.special]
    for group in GROUPS:
        asked = [scope for scope in scopes.resources if scope.context == group]
        rows += _group(group, asked, _about(group, person, context))
    return rows


def granted(questions: Sequence[Question], answers: Mapping[str, Sequence[str]]) -> str:
    """The scope text that ``answers`` (question key: the values ticked) allow; values that no row offers count not.

    Empty when all that could be taken away was: what rows only inform of comes with something else.
    """
    asked = parse(" ".join(dict.fromkeys(scope for row in questions for scope in row.scopes)))
    special = [scope for row in questions if row.group == "special" for scope in _allowed(row, answers)]
    found: list[ResourceScope] = []
    for group in GROUPS:
        rows = [row for row in questions if row.group == group]
        untouched = all(_is_full(row, answers.get(row.key, ())) for row in rows)
        found += (
            [scope for scope in asked.resources if scope.context == group]
            if untouched
            else [scope for row in rows for scope in _answered(row, answers.get(row.key, ()))]
        )
    choices = {row.key for row in questions if row.options}
    if choices and not found and choices.isdisjoint(special):
        return ""
    return str(intersect(asked, Scopes(tuple(dict.fromkeys(found)), tuple(special))))


# --- Rows ---------------------------------------------------------------------------------------------------------


def _special(scope: str) -> Question:
    words = plain_words.of_special(scope)
    options = (Option(ALLOW, "Allow", kind="allow"),) if words.declined else ()
    return Question(scope, words.label, words.explanation, options, "special", scopes=(scope,))


def _about(group: str, person: Person, context: Context) -> str:
    if person.staff:
        return "the patient chosen" if group == "patient" else "everybody whose data you may see"
    if group == "patient" and context.patient and context.patient != person.patient:
        return "the patient chosen"
    return "you" if person.fhir_user.startswith("Patient/") else "the person you act for"


def _group(group: str, asked: list[ResourceScope], about: str) -> list[Question]:
    wildcards = [scope for scope in asked if scope.type == "*"]
    named = dict.fromkeys(scope.type for scope in asked if scope.type != "*")
    types = dict.fromkeys((*plain_words.OF_A_RECORD, *named)) if wildcards else named
    rows = [_row(group, type, [scope for scope in asked if scope.type in (type, "*")], about) for type in types]
    return [*rows, *([_all_else(group, wildcards, about)] if wildcards else [])]


def _row(group: str, type: str, asked: list[ResourceScope], about: str) -> Question:
    actions = _actions(asked)
    parts = _parts(type, asked)
    explanation = "The app may " + _sentence([label for _, label in actions]) + "."
    options = (*(Option(name, plain_words.ACTIONS[name].label) for name, _ in actions), *parts)
    return Question(
        f"{group}/{type}", plain_words.of_type(type), explanation, options, group, about, tuple(map(str, asked))
    )


def _all_else(group: str, wildcards: list[ResourceScope], about: str) -> Question:
    actions = _actions(wildcards)
    explanation = (
        "The app may " + _sentence([label for _, label in actions]) + ", also of kinds that are added to the record "
        "later. This is only possible together with everything above."
    )
    options = tuple(Option(name, plain_words.ACTIONS[name].label) for name, _ in actions)
    return Question(
        f"{group}/*", "Everything else", explanation, options, group, about, tuple(map(str, wildcards)), whole=True
    )


def _actions(scopes: Iterable[ResourceScope]) -> list[tuple[str, str]]:
    """(name, explanation) of what the letters asked allow."""
    letters = {letter for scope in scopes for letter in scope.permissions}
    found = ((name, action, ordered(letters & set(action.letters))) for name, action in plain_words.ACTIONS.items())
    return [(name, plain_words.PARTIAL.get(asked) or action.explanation) for name, action, asked in found if asked]


def _parts(type: str, scopes: list[ResourceScope]) -> list[Option]:
    """Of which entries: all of them or categories, where there is a choice."""
    granular = dict.fromkeys(scope.params for scope in scopes if scope.params)
    own = [Option(_query(params), plain_words.of_params(type, params), kind="part") for params in granular]
    if all(scope.params for scope in scopes):
        return own
    rows = plain_words.CATEGORIES.get(type, {})
    offered = [Option(f"category={value}", label, False, "part") for value, label in rows.items()]
    known = {option.value for option in offered}
    more = [msgspec.structs.replace(option, checked=False) for option in own if option.value not in known]
    return [Option(EVERYTHING, "All of it", kind="part"), *offered, *more] if offered or more else []


def _query(params: Params) -> str:
    return "&".join(f"{name}={value}" for name, value in params)


def _sentence(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


# --- Answers ------------------------------------------------------------------------------------------------------


def _allowed(row: Question, answers: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return row.scopes if not row.options or ALLOW in answers.get(row.key, ()) else ()


def _is_full(row: Question, ticked: Sequence[str]) -> bool:
    """Whether nothing was taken away."""
    full = all(option.value in ticked for option in row.options if option.checked)
    return full and (EVERYTHING not in ticked or _chosen(row, ticked) == [""])


def _answered(row: Question, ticked: Sequence[str]) -> list[ResourceScope]:
    """The scopes of a row's own type; a whole row has none that stand alone."""
    if row.whole:
        return []
    type = row.key.partition("/")[2]
    letters = {letter for name in ticked if name in plain_words.ACTIONS for letter in plain_words.ACTIONS[name].letters}
    chosen = _chosen(row, ticked)
    asked = parse(" ".join(row.scopes)).resources
    found = (_narrower(scope, type, letters, query) for scope in asked for query in chosen)
    return [scope for scope in found if scope]


def _chosen(row: Question, ticked: Sequence[str]) -> list[str]:
    """The queries of the parts that were ticked, '' for all of it.

    Whoever ticks a category and leaves the tick at all of it meant the category.
    """
    parts = [option.value for option in row.options if option.kind == "part"]
    some = [value for value in parts if value in ticked and value != EVERYTHING]
    everything = EVERYTHING in parts and EVERYTHING in ticked and len(some) in (0, len(parts) - 1)
    return [""] if not parts or everything else some


def _narrower(scope: ResourceScope, type: str, letters: set[str], query: str) -> ResourceScope | None:
    """``scope`` for one type with these letters and this part; None when nothing of it is left."""
    left = ordered(letters & set(scope.permissions))
    if not left or (query and scope.params and query != _query(scope.params)):
        return None
    return msgspec.structs.replace(scope, type=type, permissions=left, params=scope.params or _params(query))


def _params(query: str) -> Params:
    pairs = (part.partition("=") for part in query.split("&") if part)
    return tuple((name, value) for name, _, value in pairs)
