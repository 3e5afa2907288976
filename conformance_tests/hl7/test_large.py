"""Large messages: documents and many repetitions, answered soon and kept whole."""

import base64
import hashlib
import random
import time
from collections.abc import Callable

import pytest

from conformance_tests.client import Client
from conformance_tests.hl7.bridge import Bridge, found
from conformance_tests.hl7.messages import HOSPITAL, oru
from conformance_tests.hl7.wire import Wire, framed

requirement = pytest.mark.requirement
New = Callable[[], str]


@requirement("bridge:large messages")
def test_a_document_of_ten_megabytes(wire: Wire, record: Client, new: New) -> None:
    id = new()
    document = b"%PDF-1.7\n" + random.Random(id).randbytes(7_500_000)
    value = f"^application^pdf^Base64^{base64.b64encode(document).decode()}"
    text = oru(id, id) + f"OBX|2|ED|60568-3^Report^LN||{value}||||||F\r"
    assert wire.ask(text).code == "AA"
    [report] = found(record, "DiagnosticReport", identifier=f"F{id}")
    [form] = report["presentedForm"]
    content = (
        record.get(form["url"], Accept="application/pdf").content if "url" in form else base64.b64decode(form["data"])
    )
    assert hashlib.sha256(content).digest() == hashlib.sha256(document).digest()


@requirement("bridge:large messages")
def test_twenty_thousand_repetitions_are_answered_soon(bridge: Bridge, wire: Wire, record: Client, new: New) -> None:
    id = new()
    text = oru(id, id) + "NTE|1||" + "abcde~" * 20_000 + "\r"
    began = time.monotonic()
    with bridge.wire() as other:
        wire.send(framed(text))
        quick = new()
        assert other.ask(oru(quick, quick)).code == "AA"
    assert wire.answer().code == "AE"
    assert time.monotonic() - began < 10
    assert not found(record, "Patient", identifier=f"{HOSPITAL}|{id}")


@requirement("bridge:large messages")
def test_three_hundred_results_in_one_message(wire: Wire, record: Client, new: New) -> None:
    id = new()
    values = [f"{n}" for n in range(1, 301)]
    assert wire.ask(oru(id, id, values)).code == "AA"
    bundle = record.get("Observation", query={"patient.identifier": f"{HOSPITAL}|{id}", "_summary": "count"}).json()
    assert bundle["total"] == 300
