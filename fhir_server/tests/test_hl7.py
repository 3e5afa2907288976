import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_server.hl7 import PORT, _open_forecourt, _options, _tls, bridge
from fhir_server.hl7_applying import applier_of
from fhir_server.hl7_metrics import BridgeMetrics
from fhir_server.preparation import prepare
from fhir_server.settings import SettingError, Settings, load
from fhir_server.wiring import Process
from hl7_bridge.door import Caps, arrive, incoming
from hl7_bridge.journal import Query
from hl7_bridge.mllp.framing import encode
from hl7_bridge.site.files import read_site
from resources.repository import WHOLE_RECORD, Caller, HistoryRequest, SearchRequest

ORU = (
    b"MSH|^~\\&|LAB|A|||20260101||ORU^R01|7|P|2.5.1\rPID|||5^^^HOSP||Okafor^Ada\rORC|RE|P1|F1\r"
    b"OBR|1|P1^A|F1^B|718-7^Hb^LN|||20260101\rOBX|1|NM|718-7^Hb^LN||13.5|g/dL^^UCUM|||||F\r"
)


@pytest.fixture
def settings(empty_database_url: str, tmp_path: Path) -> Settings:
    given = {"DATA_DIR": str(tmp_path), "DATABASE": empty_database_url, "OPEN": True, "AT_REST": "envelope"}
    made = load(given | {"HL7_WORKERS": 1, "HL7_RETENTION_DAYS": 30}, {})
    prepare(made)
    (tmp_path / "hl7" / "senders").mkdir(parents=True)
    (tmp_path / "hl7" / "senders" / "lab.toml").write_text('applications = ["LAB"]\n')
    return made


@pytest.fixture
def process(settings: Settings) -> Iterator[Process]:
    with Process(settings) as made:
        yield made


def say(process: Process, *messages: bytes) -> list[bytes]:
    """Send ``messages`` to a bridge over ``process``, stop it; the answers."""

    async def scenario() -> list[bytes]:
        stop, ports = asyncio.Event(), asyncio.Queue[int]()
        metrics = BridgeMetrics()
        metrics.watch(lambda: 1, lambda: 0)
        made = bridge(process, read_site(process.settings.hl7_site), metrics)
        object.__setattr__(made._options, "port", 0)
        running = asyncio.create_task(made.run(stop, ports.put_nowait))
        reader, writer = await asyncio.open_connection("127.0.0.1", await ports.get())
        answers = []
        for message in messages:
            writer.write(encode(message))
            answers.append(await reader.readuntil(b"\x1c\r"))
            while process.journal.standings():  # the child needs a while to come up
                await asyncio.sleep(0.05)
        stop.set()
        await running
        metrics.sample()
        return answers

    return asyncio.run(scenario())


def test_a_message_becomes_searchable_with_provenance_and_audit_and_leaves_nothing_in_clear(process, settings):
    answers = say(process, ORU, ORU)
    assert b"\rMSA|AA|7\r" in answers[0]
    assert b"\rMSA|AA|7\r" in answers[1]
    repository = process.repository(Caller("test", grants=WHOLE_RECORD))

    def found(type: str, **params: str) -> list[str]:
        hits = repository.search(SearchRequest(type, tuple(params.items()))).hits
        return [hit.version.reference for hit in hits]

    [observation] = found("Observation", code="http://loinc.org|718-7")
    assert found("Patient", identifier="5")
    assert found("Provenance", target=observation)
    made = repository.history(HistoryRequest(*observation.split("/"))).versions
    assert [b'"source":"urn:hl7v2:lab#7"' in version.doc for version in made] == [True]
    rows = process.store.session().query("SELECT raw FROM hl7_body")
    assert len(rows) == 1 and b"Okafor" not in bytes(rows[0][0])
    [entry] = process.journal.search(Query(patient="5"))
    assert process.journal.raw(entry.id) == ORU
    assert entry.state == "applied"


def test_unmapped_codes_stand_on_the_worklist_and_answers_are_seen(process):
    applier, refresh = applier_of(process, read_site(process.settings.hl7_site))
    sender = applier.sender_of("lab")
    for n, text in enumerate((b"first", b"second")):
        raw = ORU.replace(b"||Okafor^Ada", b"||Okafor^Ada|||?").replace(b"|7|", b"|%s|" % text)
        process.journal.receive([incoming(arrive(raw, lambda *_: sender, Caps()), n)])
        [work] = process.journal.claim(1, 60)
        assert applier.apply(work).state == "applied"
        [item] = process.journal.worklist(answered=n > 0)
        assert (item.sender, item.code, item.count) == ("lab", "?", 1)
        coding = {"system": "http://hl7.org/fhir/administrative-gender", "code": "other"}
        process.journal.answer("lab", item.source, "?", json.dumps(coding))
        refresh()


def test_options_and_port(settings):
    assert (_options(settings, None).port, _options(settings, None).retention_days) == (PORT, 30)


@pytest.mark.parametrize(
    "given",
    [
        {"HL7_TLS_CERT": "a.pem"},
        {"HL7_TLS_CA": "a.pem"},
        {"OPEN": True, "HL7_HOST": "0.0.0.0"},
        {"HL7_PORT": "70000"},
    ],
)
def test_settings_that_cannot_be(given):
    with pytest.raises(SettingError):
        load(given, {})


def test_tls_files_that_are_not_there():
    with pytest.raises(SettingError, match="HL7_TLS_CERT"):
        _tls(load({"HL7_TLS_CERT": "absent.pem", "HL7_TLS_KEY": "absent.pem"}, {}))
    assert _tls(load({}, {})) is None
    assert ssl.HAS_TLSv1_3


def test_a_changed_site_kit_is_taken_over_by_all_processes_while_connections_stay(process, settings):
    folder = settings.hl7_site / "senders"

    async def scenario() -> None:
        stop, ports = asyncio.Event(), asyncio.Queue[int]()
        made = bridge(process, read_site(settings.hl7_site), BridgeMetrics())
        object.__setattr__(made._options, "port", 0)
        running = asyncio.create_task(made.run(stop, ports.put_nowait))
        reader, writer = await asyncio.open_connection("127.0.0.1", await ports.get())
        (folder / "ward.toml").write_text('applications = ["WARD"]\n')
        (folder / "wrong.toml").write_text("ack = 1\n")
        number = 0
        async with asyncio.timeout(60):
            while not process.journal.search(Query(sender="ward")):
                number += 1
                writer.write(encode(ORU.replace(b"|LAB|", b"|WARD|").replace(b"|7|", b"|%d|" % number)))
                await reader.readuntil(b"\x1c\r")
                await asyncio.sleep(0.2)
                if number == 3:
                    assert not process.journal.search(Query(sender="ward"))
                    (folder / "wrong.toml").unlink()
            while process.journal.standings():
                await asyncio.sleep(0.05)
        stop.set()
        await running

    asyncio.run(scenario())
    assert {entry.state for entry in process.journal.search(Query(sender="ward"))} == {"applied"}


def test_a_second_bridge_on_the_same_folder_is_refused_and_so_is_a_damaged_forecourt(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path), "DATABASE": f"sqlite:///{tmp_path / 'hearth.db'}", "OPEN": True}, {})
    prepare(settings)
    with Process(settings) as first, Process(settings) as second:
        _open_forecourt(first)
        with pytest.raises(SettingError, match="another HL7 bridge"):
            _open_forecourt(second)
    (tmp_path / "hl7-forecourt.db").write_bytes(b"damaged" * 1000)
    with Process(settings) as third, pytest.raises(SettingError, match="keep a copy"):
        _open_forecourt(third)
