"""``hearth person add|list|disable|enable|reset|role|clearance``: who logs in. Links are printed once, passwords never.

HIPAA 164.312(a)(2)(i) (unique user identification), 164.308(a)(3)(ii)(C) (termination).
"""

from argparse import Namespace

from fhir_server.commands import CommandError
from fhir_server.commands.authority import BY, Action, accounts, authority, show_secret, table
from fhir_server.settings import Settings
from smart_auth.model import Clearance, Person
from smart_auth.people.accounts import Role, fold
from smart_auth.people.links import Purpose
from smart_auth.service import AuthService


def run(settings: Settings, action: str, asked: Namespace) -> int:
    """Do one of ACTIONS. Raises CommandError with what is wrong."""
    with authority(settings) as service:
        ACTIONS[action](service, asked)
    return 0


def _add(service: AuthService, asked: Namespace) -> None:
    made = accounts(service).make(asked.login, asked.name or asked.login, _role(asked), BY)
    _show_link(service, made, Purpose.INVITATION)


def _list(service: AuthService, asked: Namespace) -> None:
    rows = [("LOGIN", "NAME", "IN THE RECORD", "PATIENT", "CLEARANCE", "STATE"), *map(_row, service.records.people())]
    print(table(rows))


def _row(person: Person) -> tuple[str, ...]:
    invited = not person.password_argon2
    states = {"disabled": person.disabled, "administrator": person.administrator, "no password yet": invited}
    state = ", ".join(word for word, true in states.items() if true) or "active"
    return person.login, person.name, person.fhir_user or "-", person.patient or "-", person.clearance.words, state


def _disable(service: AuthService, asked: Namespace) -> None:
    accounts(service).disable(_found(service, asked), BY)


def _enable(service: AuthService, asked: Namespace) -> None:
    accounts(service).enable(_found(service, asked), BY)


def _reset(service: AuthService, asked: Namespace) -> None:
    """A link to choose a password; the second factor stays unless it is to go too."""
    person = _found(service, asked)
    if asked.code_app:
        person = accounts(service).set_totp(person, b"", BY)
    _show_link(service, person, Purpose.RESET if person.password_argon2 else Purpose.INVITATION)


def _change_role(service: AuthService, asked: Namespace) -> None:
    accounts(service).change_role(_found(service, asked), _role(asked), BY)


def _clear(service: AuthService, asked: Namespace) -> None:
    service.clearances.change(_found(service, asked), Clearance.named(asked.clearance), BY)


def _role(asked: Namespace) -> Role:
    patient = asked.patient.removeprefix("Patient/")
    return Role(fhir_user=asked.fhir_user, patient=patient, administrator=asked.administrator)


def _found(service: AuthService, asked: Namespace) -> Person:
    person = service.records.person_by_login(fold(asked.login))
    if person is None:
        raise CommandError(f"nobody logs in as {asked.login!r}; see `hearth person list`")
    return person


def _show_link(service: AuthService, person: Person, purpose: Purpose) -> None:
    link = service.url(f"/auth/link/{accounts(service).invite(person, purpose, BY)}")
    show_secret(f"Give this link to {person.name} and to nobody else; it works once:", link)


ACTIONS: dict[str, Action] = {
    "add": _add,
    "list": _list,
    "disable": _disable,
    "enable": _enable,
    "reset": _reset,
    "role": _change_role,
    "clearance": _clear,
}
