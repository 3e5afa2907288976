"""The first administrator: a link at every start until one has logged in."""

from msgspec.structs import replace

from fhir_server.authorization.administrator import LOGIN, first_administrator
from smart_auth.people.accounts import Accounts
from smart_auth.people.links import Links, Purpose
from smart_auth.people.passwords import Passwords
from smart_auth.service import AuthService


def first(service: AuthService) -> str:
    return first_administrator(service.records, service.tell, service.now)


def test_a_link_is_made_at_every_start_until_the_administrator_came(service: AuthService) -> None:
    links = Links(service.records, service.now)
    secrets = [first(service), first(service)]
    assert secrets[0] != secrets[1]
    [person] = service.records.people()
    assert (person.login, person.administrator, person.password_argon2) == (LOGIN, True, "")
    assert [links.look(secret) for secret in secrets] == [None, (person.id, Purpose.ADMINISTRATOR)]
    accounts = Accounts(service.records, service.chart, service.tell, Passwords(), service.now)
    accounts.set_password(person, "calm otters drift by")
    assert first(service) == ""


def test_nobody_is_made_administrator_beside_other_people(service: AuthService) -> None:
    first(service)
    [person] = service.records.people()
    service.records.put_person(replace(person, administrator=False))
    assert first(service) == ""
    assert len(service.records.people()) == 1
