"""``hearth hl7``: the bridge at the terminal, against a bridge that runs."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from fhir_server.commands.hl7 import _plain
from fhir_server.commands.tests.conftest import Run
from fhir_server.hl7 import bridge
from fhir_server.hl7_metrics import BridgeMetrics
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process
from hl7_bridge.journal import SqlJournal
from hl7_bridge.journal.aside import Aside
from hl7_bridge.ports import Incoming
from hl7_bridge.site.files import read_site
from resources.repository import WHOLE_RECORD, Caller, Repository, SearchRequest

INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
ORU = (
    "MSH|^~\\&|LAB|A|||20260101||ORU^R01|{n}|P|2.5.1\rPID|||5^^^HOSP||Okafor^Ada\r"
    "OBR|1|P1^A|F{n}^B|718-7^Hb^LN|||20260101||||||||||||||||||F\r"
    "OBX|1|NM|718-7^Hb^LN||13.5|g/dL^^UCUM|||||{status}\r"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data folder with a site kit of one sender."""
    folder = tmp_path / "var"
    (folder / "hl7" / "senders").mkdir(parents=True)
    (folder / "hl7" / "senders" / "lab.toml").write_text('applications = ["LAB"]\n')
    return folder


@pytest.fixture
def peer(folder: Path, database_url: str) -> Iterator[str]:
    """HOST:PORT of a bridge over the folder's database."""
    settings = load({"DATA_DIR": str(folder), "DATABASE": database_url, "OPEN": True}, {})
    prepare(settings)
    loop, stop, ports = asyncio.new_event_loop(), asyncio.Event(), []
    ready = threading.Event()

    def serve() -> None:
        with Process(settings) as process:
            made = bridge(process, read_site(settings.hl7_site), BridgeMetrics())
            object.__setattr__(made._options, "port", 0)
            loop.run_until_complete(made.run(stop, lambda port: (ports.append(port), ready.set())[0]))

    running = threading.Thread(target=serve)
    running.start()
    assert ready.wait(30)
    yield f"127.0.0.1:{ports[0]}"
    loop.call_soon_threadsafe(stop.set)
    running.join(30)


def file(folder: Path, *numbers: int, status: str = "F") -> str:
    path = folder / "messages.hl7"
    path.write_text("".join(ORU.format(n=n, status=status) for n in numbers), newline="")
    return str(path)


def found(repository: Repository, type: str, name: str, value: str) -> bytes:
    """The one resource that a search finds."""
    (hit,) = repository.search(SearchRequest(type, ((name, value),))).hits
    return hit.version.doc


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = monotonic() + 30
    while not holds():
        assert monotonic() < deadline
        sleep(0.05)


def sent(run: Run, path: str, peer: str, count: int = 1) -> tuple[int, str]:
    """Send a file and wait until all of it is applied: a busy machine answers when it is stored."""
    status, out, _ = run("hl7", "send", path, "--to", peer)
    wait_for(lambda: run("hl7", "tail", "--state", "applied")[1].count(" applied") == count)
    return status, out


def test_messages_are_sent_listed_shown_and_replayed(run: Run, folder: Path, peer: str) -> None:
    status, out = sent(run, file(folder, 1, 2), peer, 2)
    assert (status, out.count(": AA")) == (0, 2)
    listed = run("hl7", "tail", "--sender", "lab")[1].splitlines()
    assert [line.split()[7] for line in listed[1:]] == ["applied", "applied"]
    shown = run("hl7", "show", "1")[1]
    assert "PID-5  mapped  Patient.name" in shown
    assert "Observation/" in shown and "MSA|AA|1" in shown
    assert run("hl7", "replay", "1")[:2] == (0, "1 of 1 messages are read again\n")
    assert "there is no message 99" in run("hl7", "show", "99")[2]


def test_what_is_set_aside_is_listed_and_shown(
    run: Run, folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(load({"DATA_DIR": str(folder), "DATABASE": database_url, "OPEN": True}, {}))
    one = Incoming("lab", b"MSH|^~\\&|LAB\rPID|1\x1b[2J", 1000, "7", "ORU", "R01", "2.5.1", ("x",))
    monkeypatch.setattr(SqlJournal, "aside", lambda self: [Aside(3, 120), Aside(4, 90, one)])
    listed = run("hl7", "tail")[1]
    assert "aside-3" in listed and "aside-4" in listed and "set aside" in listed
    assert "aside" not in run("hl7", "tail", "--sender", "lab")[1]
    assert "120 bytes as they are stored" in run("hl7", "show", "aside-3")[1]
    shown = run("hl7", "show", "aside-4")[1]
    assert "PID|1" in shown and "\x1b" not in shown
    assert "nothing is set aside as aside-5" in run("hl7", "show", "aside-5")[2]


def test_a_message_is_edited_and_replayed(run: Run, folder: Path, peer: str) -> None:
    sent(run, file(folder, 1), peer)
    edited = folder / "edited.hl7"
    edited.write_text(ORU.format(n=1, status="C"), newline="")
    assert run("hl7", "replay", "1", "--with", str(edited))[0] == 0
    assert "name its id alone" in run("hl7", "replay", "1", "2", "--with", str(edited))[2]


def test_another_site_kit_is_compared_without_changing_anything(run: Run, folder: Path, peer: str) -> None:
    sent(run, file(folder, 1), peer)
    other = folder / "other"
    (other / "senders").mkdir(parents=True)
    (other / "senders" / "lab.toml").write_text('applications = ["LAB"]\n[authorities]\nHOSP = "urn:oid:1.2.3"\n')
    out = run("hl7", "diff", "--site", str(other))[1]
    assert '+   "system": "urn:oid:1.2.3"' in out.replace("    ", "  ") or "urn:oid:1.2.3" in out
    assert out.endswith("1 of 1 messages would come to something else\n")
    assert run("hl7", "diff", "1", "--site", str(folder / "hl7"))[1].startswith("0 of 1")


def test_an_unmapped_code_is_answered(run: Run, folder: Path, peer: str, database_url: str) -> None:
    path = folder / "local.hl7"
    path.write_text(ORU.format(n=1, status="F").replace("UCUM|||||F", "UCUM||PANIC|||F"), newline="")
    sent(run, str(path), peer)
    wait_for(lambda: "PANIC" in run("hl7", "worklist")[1])
    rows = run("hl7", "worklist")[1].splitlines()
    sender, table, code, *_ = rows[1].split()
    assert (table, code) == ("0078", "PANIC")
    answer = ("--system", INTERPRETATION, "--target", "HH", "--display", "Critical high")
    assert run("hl7", "answer", sender, table, code, *answer)[:2] == (0, "1 messages are read again\n")
    settings = load({"DATA_DIR": str(folder), "DATABASE": database_url, "OPEN": True}, {})
    with Process(settings) as process:
        repository = process.repository(Caller("test", grants=WHOLE_RECORD))
        wait_for(lambda: b"Critical high" in found(repository, "Observation", "code", "718-7"))
        assert b"PANIC" in found(repository, "ConceptMap", "url", "https://hearth.health/v2/lab/0078")
    assert len(run("hl7", "worklist")[1].splitlines()) == 1
    assert len(run("hl7", "worklist", "--answered")[1].splitlines()) == 2
    assert "no unmapped code" in run("hl7", "answer", sender, table, "nothing", *answer)[2]


def test_a_site_kit_is_checked_and_learned(run: Run, folder: Path) -> None:
    assert run("hl7", "check")[:2] == (0, f"1 senders, 0 receivers in {folder / 'hl7'}: no fault found.\n")
    status, _, error = run("hl7", "check", "--hl7-site", str(folder / "nosuch"))
    assert status and "nosuch: there is no such folder; expected that of the site kit" in error
    samples = file(folder, 1, 2)
    out = run("hl7", "profile", samples, "--name", "new")[1]
    assert "2 messages" in out and (folder / "hl7" / "senders" / "new.toml").is_file()
    path = Path(samples)
    path.write_text(ORU.format(n=3, status="F") + "ZXY|1\r", newline="")
    assert "drift: local_segments: ZXY is new" in run("hl7", "profile", samples, "--name", "new")[1]
    assert "neither HOST:PORT nor a receiver" in run("hl7", "send", samples, "--to", "nobody")[2]
    (folder / "hl7" / "senders" / "lab.toml").write_text("applicatons = []\n")
    assert "did you mean 'applications'" in run("hl7", "check")[2]


def test_a_message_cannot_command_the_terminal() -> None:
    assert _plain("a\x1b]0;b\x07\x9b") == "a\ufffd]0;b\ufffd\ufffd"
