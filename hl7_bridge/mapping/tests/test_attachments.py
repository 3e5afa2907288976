"""Documents in fields: media types, base64 as it came, nothing that is not base64."""

from hl7_bridge.mapping.datatypes import attachments
from hl7_bridge.mapping.tests.values import draft, value

PDF = "JVBERi0xLjQK"


def test_data_is_passed_on_as_it_is() -> None:
    each = value(f"SYS^Application^PDF^Base64^{PDF}")
    found = attachments.encapsulated(each, draft())
    assert found == {"contentType": "application/pdf", "data": PDF}
    assert found["data"] is each.raw_part(5)


def test_kind_by_what_it_is() -> None:
    assert attachments.encapsulated(value(f"^^^Base64^{PDF}"), draft()) == {
        "contentType": "application/pdf",
        "data": PDF,
    }


def test_text_and_hexadecimal_are_encoded() -> None:
    assert attachments.encapsulated(value("^TEXT^^A^Hi"), draft()) == {"contentType": "text/plain", "data": "SGk="}
    assert attachments.encapsulated(value("^IM^JPEG^Hex^4869"), draft()) == {
        "contentType": "image/jpeg",
        "data": "SGk=",
    }


def test_what_is_not_base64_is_not_data() -> None:
    made = draft()
    assert attachments.encapsulated(value("^AP^PDF^Base64^not base64!"), made) is None
    assert made.warnings


def test_pointer() -> None:
    assert attachments.pointer(value("http://x/1^^IM^JPEG"), draft()) == {
        "contentType": "image/jpeg",
        "url": "http://x/1",
    }
