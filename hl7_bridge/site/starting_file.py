"""The sender's file to start from: what samples tell is written, what they leave open is a comment that says why.

HL7 v2.5.1 section 2A.14 (CX): who assigns an identifier decides whose it is, so nothing ambiguous is written.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from hl7_bridge.site.profile import NONE, Profile

System = Callable[[str], str]
"""What an authority that nobody configured is taken as; '' where its name alone does not tell."""


def sender_file(learned: Profile, system_of: System) -> str:
    """The text of ``senders/NAME.toml``."""
    lines = [
        f"# Made from {learned.messages} sample messages. Complete what is commented out.",
        f"applications = {_texts(learned.applications)}",
        f"facilities = {_texts(learned.facilities)}",
        '# addresses = ["10.0.0.0/8"]',
        f"processing_ids = {_texts(learned.processing_ids) if any(learned.processing_ids) else _texts(['P'])}",
        f"types = {_texts(learned.types)}",
        '# timezone = "Europe/Berlin"',
        *_of_bare(learned, system_of),
        "",
        "[authorities]",
        *_authorities(learned, system_of),
    ]
    return "\n".join(lines) + "\n"


def _authorities(learned: Profile, system_of: System) -> Iterator[str]:
    """One is written when it alone assigns the types of identifiers that it assigns."""
    for name in _named(learned.patient_authorities):
        shared, system = _shared(learned, name), system_of(name)
        if shared:
            yield f"# {shared}: say which system each one's are of."
        elif not system:
            yield "# The next name alone tells no system: say which one it stands for."
        yield f"{_text(name)} = {_text(system)}" if system and not shared else f'# {_text(name)} = "urn:oid:..."'


def _shared(learned: Profile, name: str) -> str:
    """Why it is not known what ``name`` stands for; '' when it is."""
    for kind, by in sorted(learned.identifier_types.items()):
        others = _named(by)
        if name in by and len(others) > 1:
            what = "Identifiers without a type" if kind == NONE else f"Identifiers of type {_one_line(kind)}"
            return f"{what} are assigned by {' and '.join(map(_one_line, others))} in these samples"
    return ""


def _of_bare(learned: Profile, system_of: System) -> Iterator[str]:
    """Whose the identifiers are that name no authority: of the only one that assigns such, if there is one."""
    count = learned.patient_authorities.get(NONE, 0)
    if not count:
        return
    kinds = [kind for kind, by in learned.identifier_types.items() if NONE in by]
    others = [learned.patient_authorities if kind == NONE else learned.identifier_types[kind] for kind in kinds]
    named = sorted({name for by in others for name in _named(by)})
    yield f"# {count} patient identifiers name no authority; without the next line such messages are held."
    if len(named) == 1 and system_of(named[0]) and not _shared(learned, named[0]):
        yield f"# {_one_line(named[0])} is the only one that assigns such identifiers in these samples."
        yield f"authority = {_text(system_of(named[0]))}"
    else:
        several = f"{' and '.join(map(_one_line, named))} assign such identifiers" if named else "nobody is named"
        yield f"# Whose they are is not to be seen: {several} in these samples."
        yield '# authority = "urn:oid:..."'


def _named(names: Iterable[str]) -> list[str]:
    return [name for name in names if name != NONE]


def _one_line(text: str) -> str:
    """For a comment: samples are written by others."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _texts(values: Iterable[str]) -> str:
    return "[" + ", ".join(_text(value) for value in values if value) + "]"


def _text(value: str) -> str:
    return msgspec.json.encode(value).decode()
