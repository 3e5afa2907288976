"""Which change goes where."""

from typing import Any

import pytest

from hl7_bridge.outbound.routes import leading, ways
from hl7_bridge.site.model import Receiver, Route, Site
from resources import json_codec
from resources.errors import BadSearch
from resources.repository import Version

LAB = "category=http://snomed.info/sct|108252007"
LABORATORY = {"coding": [{"system": "http://snomed.info/sct", "code": "108252007"}]}


def site(*routes: Route) -> Site:
    return Site(receivers=(Receiver("h", 1, name="lab", routes=routes), Receiver("h", 2, name="copy", routes=routes)))


def version(**more: Any) -> Version:
    resource = {"resourceType": "ServiceRequest", "id": "1", "status": "active", "intent": "order", **more}
    return Version("ServiceRequest", "1", 1, 0, json_codec.encode(resource))


def taken(found: Site, one: Version) -> list[tuple[str, str]]:
    return [(way.receiver.name, way.route.message) for way in leading(ways(found), one)]


def test_a_route_takes_what_meets_all_criteria() -> None:
    routes = site(Route("ServiceRequest", "OML^O21", f"{LAB}&status=active"))
    assert taken(routes, version(category=[LABORATORY])) == [("lab", "OML^O21"), ("copy", "OML^O21")]
    assert taken(routes, version()) == []
    assert taken(routes, version(category=[LABORATORY], status="draft")) == []


def test_the_first_route_of_a_receiver_wins() -> None:
    routes = site(Route("ServiceRequest", "ORM^O01", LAB), Route("ServiceRequest", "OML^O21"))
    assert taken(routes, version(category=[LABORATORY])) == [("lab", "ORM^O01"), ("copy", "ORM^O01")]
    assert taken(routes, version()) == [("lab", "OML^O21"), ("copy", "OML^O21")]


def test_another_type_is_not_taken() -> None:
    assert taken(site(Route("Appointment", "SIU")), version()) == []


def test_no_routes_by_default() -> None:
    assert taken(Site(receivers=(Receiver("h", 1, name="lab"),)), version()) == []


def test_criteria_that_are_none_are_an_error() -> None:
    with pytest.raises(BadSearch):
        ways(site(Route("ServiceRequest", "OML^O21", "categoree=x")))
