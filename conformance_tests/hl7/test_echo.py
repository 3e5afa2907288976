"""Two bridges that send each other every order: each change is told once, and nothing is said for ever."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from conformance_tests.client import Client, Json
from conformance_tests.hl7.bridge import AUTHORITIES, Bridge, Kit, bridged, found, until
from conformance_tests.hl7.messages import HOSPITAL, LOINC
from conformance_tests.process import free_port, postgresql

requirement = pytest.mark.requirement
New = Callable[[], str]


def kit(own: str, other: str, port: int) -> Kit:
    """Of the house ``own``, which faces ``other`` on ``port``."""
    routes = '[[routes]]\ntype = "ServiceRequest"\nmessage = "OML^O21"\n'
    return {
        "site.toml": f'application = "{own.upper()}"\n{AUTHORITIES}',
        f"senders/{other}.toml": f'applications = ["{other.upper()}"]\n',
        f"receivers/{other}.toml": (
            f'host = "127.0.0.1"\nport = {port}\napplication = "{other.upper()}"\nsender = "{other}"\n{routes}'
        ),
    }


class Houses(NamedTuple):
    east: Bridge
    west: Bridge


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    ports = free_port(), free_port()
    with ExitStack() as opened:
        folders = [tmp_path_factory.mktemp(name) for name in ("east", "west")]
        east = bridged(folders[0], "", kit=kit("east", "west", ports[1]), port=ports[0])
        west = bridged(folders[1], opened.enter_context(postgresql()), kit=kit("west", "east", ports[0]), port=ports[1])
        yield Houses(opened.enter_context(east), opened.enter_context(west))


def journal(bridge: Bridge) -> list[tuple[str, str]]:
    """Direction and state of every message, oldest first."""
    rows = [line.split() for line in bridge.hl7("tail", "--count", "200").splitlines()[1:]]
    return [(row[3], next(word for word in row if word in STATES)) for row in rows if row]


STATES = ("received", "applied", "held", "rejected", "dead")


def one(record: Client, number: str) -> Json | None:
    """The order, whatever else the house calls it."""
    orders = found(record, "ServiceRequest", identifier=number)
    assert len(orders) <= 1
    return orders[0] if orders else None


def status(record: Client, number: str) -> str:
    order = one(record, number)
    return order["status"] if order else ""


@requirement("bridge:no echo")
def test_orders_and_changes_between_two_bridges_come_to_rest(houses: Houses, new: New) -> None:
    east, west = houses.east.client(), houses.west.client()
    number = new()
    patient = east.create(
        {
            "resourceType": "Patient",
            "identifier": [
                {
                    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
                    "system": HOSPITAL,
                    "value": number,
                }
            ],
            "name": [{"family": "Okafor", "given": ["Ada"]}],
        }
    )
    east.create(
        {
            "resourceType": "ServiceRequest",
            "identifier": [
                {
                    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]},
                    "system": "urn:id:HIS",
                    "value": number,
                }
            ],
            "status": "active",
            "intent": "order",
            "code": {"coding": [{"system": LOINC, "code": "24323-8", "display": "Panel"}]},
            "subject": {"reference": f"Patient/{patient['id']}"},
        }
    )
    until(lambda: status(west, number) == "active")
    time.sleep(4)
    assert journal(houses.east) == [("out", "applied")]
    assert journal(houses.west) == [("in", "applied")]

    change(west, number, priority="urgent")
    until(lambda: (one(east, number) or {}).get("priority") == "urgent")
    time.sleep(4)
    assert journal(houses.east) == [("out", "applied"), ("in", "applied")]
    assert journal(houses.west) == [("in", "applied"), ("out", "applied")]

    change(east, number, status="revoked")
    until(lambda: status(west, number) == "revoked")
    time.sleep(4)
    assert journal(houses.east) == [("out", "applied"), ("in", "applied"), ("out", "applied")]
    assert journal(houses.west) == [("in", "applied"), ("out", "applied"), ("in", "applied")]
    assert status(east, number) == "revoked"


def change(record: Client, number: str, **elements: str) -> None:
    order = one(record, number)
    assert order is not None
    record.put(f"ServiceRequest/{order['id']}", order | elements)
