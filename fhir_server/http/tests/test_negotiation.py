"""Accept, _format, Content-Type, fhirVersion and charset."""

import pytest

from fhir_server.http.negotiation import Format, accepted, media_type, names_fhir, sent
from resources.errors import NotAcceptable, UnsupportedMediaType

JSON, XML = Format.JSON, Format.XML


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/fhir+json", JSON),
        ("application/fhir+json; fhirVersion=4.0", JSON),
        ("application/json", JSON),
        ("application/fhir+xml", XML),
        ("application/xml;charset=utf-8", XML),
        ("text/xml", XML),
        ("application/fhir+json;q=0.5, application/fhir+xml", XML),
        ("application/fhir+xml;q=0.2, application/fhir+json;q=0.9", JSON),
        ("application/fhir+xml;q=0, application/fhir+json", JSON),
        ("text/turtle, application/fhir+json;q=0.1", JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        ("application/fhir+json; fhirVersion=5.0, application/fhir+xml; fhirVersion=4.0", XML),
    ],
)
def test_accepted(accept: str, format: Format) -> None:
    assert accepted(accept) is format


@pytest.mark.parametrize(
    "accept",
    ["text/turtle", "application/fhir+json; fhirVersion=3.0", "application/fhir+json;q=0", "image/png", ";;,q"],
)
def test_not_acceptable(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        accepted(accept)


@pytest.mark.parametrize(
    ("override", "format"),
    [("json", JSON), ("xml", XML), ("application/fhir+xml", XML), ("application/fhir xml", XML), ("text/xml", XML)],
)
def test_format_wins_over_accept(override: str, format: Format) -> None:
    assert accepted("text/turtle", override) is format


@pytest.mark.parametrize("override", ["ttl", "text/turtle", "html", "application/fhir+json; fhirVersion=3.0"])
def test_unknown_format(override: str) -> None:
    with pytest.raises(NotAcceptable, match="_format"):
        accepted("application/fhir+json", override)


def test_sent() -> None:
    assert sent("application/fhir+json") is JSON
    assert sent("application/json; charset=UTF-8") is JSON
    assert sent('application/fhir+xml; fhirVersion="4.0"') is XML


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "*/*",
        "json",
        "text/html",
        "application/fhir+json; charset=latin-1",
        "application/fhir+json;fhirVersion=1.0",
    ],
)
def test_unsupported(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        sent(content_type)


def test_media_type() -> None:
    assert media_type(' Application/FHIR+JSON ; a="B" ;c') == ("application/fhir+json", {"a": "b"})


def test_names_fhir() -> None:
    assert names_fhir("application/fhir+json")
    assert names_fhir("image/png, application/fhir+xml")
    assert names_fhir("*/*", "json")
    assert not names_fhir("*/*")
    assert not names_fhir("")
    assert not names_fhir("application/pdf")
    assert not names_fhir("application/fhir+json;q=0, */*")
