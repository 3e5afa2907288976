"""The commands of the guides: ``hearth`` knows each, and those that a reader can type are run as they stand."""

import itertools
import json
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from joserfc.jwk import ECKey, KeySet

from conformance_tests.process import free_port, stop, wait
from fhir_server import cli

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
_COMMAND = re.compile(
    r"`(?:HEARTH_\S+ )?hearth ([^`]+)`|^    (?:\$ )?(?:\.venv/bin/)?hearth ((?:.*\\\n)*.*)$", re.MULTILINE
)
_CHOICE = re.compile(r"[\w-]+(?:\\?\|[\w-]+)+")

MEANT = {
    "LOGIN": "rosa", "TEXT": "Rosa", "ID": "ada", "URI": "https://clinic.example/", "N": "20",
    "FILE": "message.hl7", "PATH": "message.hl7", "HOST:PORT": "127.0.0.1:2575", "PORT": "5432",
    "FOLDER": "backup", "DIR": "copy", "URL": "sqlite:///copy.db",
}  # fmt: skip
"""What a reader puts where a guide has a word in capitals."""
AS_RUN = {
    "person role LOGIN": "person role LOGIN --fhir-user Practitioner/1",
    "client clearance ID": "client clearance trends restricted",
    "hl7 replay ID --with FILE": "hl7 replay 1 --with FILE",
    "video turn-config --cert FILE --key FILE": "video turn-config --cert FILE --key FILE"
        " --video-ice-servers turn:turn.clinic.example:3478 --video-ice-secret anything",
    "client clearance hearth-cli": "client clearance hearth-cli restricted",
    "token --scope TEXT --patient ID": "token --scope patient/Patient.rs --patient ID",
    "client add ID --kind asymmetric --redirect-uri URI --scopes TEXT":
        "client add third --kind asymmetric --redirect-uri URI --scopes TEXT --jwks keys.json",
    "client add ID --kind symmetric --redirect-uri URI --scopes TEXT":
        "client add second --kind symmetric --redirect-uri URI --scopes TEXT",
    "client add ID --kind asymmetric --backend --jwks FILE --scopes 'system/*.rs'":
        "client add fourth --kind asymmetric --backend --jwks keys.json --scopes 'system/*.rs'",
}  # fmt: skip
"""Where a guide leaves out what it said before."""


class Said(NamedTuple):
    """One command of a guide, without ``hearth``."""

    guide: str
    words: str


def said(guide: str) -> Iterator[Said]:
    """Every command of ``guide``: options in brackets are given, and each of ``a|b`` is one of its own."""
    for match in _COMMAND.finditer((ROOT / guide).read_text()):
        text = (match[1] or match[2]).replace("\\\n", " ")
        text = re.sub(r"\s+#.*|\s+> .*|\.\.\.|[\[\]]", "", text)
        choices = [re.split(r"\\?\|", found) for found in _CHOICE.findall(text)]
        for chosen in itertools.product(*choices):
            words = iter(chosen)
            yield Said(guide, " ".join(_CHOICE.sub(lambda _, words=words: next(words), text).split()))


ALL = sorted({each for guide in GUIDES for each in said(guide)})


def argv(words: str) -> list[str]:
    return [MEANT.get(word, word) for word in shlex.split(words)]


@pytest.mark.parametrize("command", ALL, ids=str)
def test_hearth_knows_every_command_of_the_guides(command: Said, capsys: pytest.CaptureFixture[str]) -> None:
    words = argv(AS_RUN.get(command.words, command.words))
    try:
        cli._parser().parse_args(words)
    except SystemExit:
        complaint = capsys.readouterr().err
        # A command that is spoken of stands without what it needs.
        assert "arguments are required" in complaint and not any(word.startswith("-") for word in words), complaint


HEARTH = (sys.executable, "-m", "fhir_server.cli")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guides")
    for each in ("samples", "var/hl7/senders"):
        (folder / each).mkdir(parents=True)
    (folder / "var/hl7/site.toml").write_text('application = "HEARTH"\nfacility = "GENERAL"\n')
    (folder / "var/hl7/senders/lab.toml").write_text('applications = ["LAB"]\nauthority = "urn:oid:1.2.3"\n')
    lines = (
        r"MSH|^~\&|LAB|GENERAL|HEARTH|GENERAL|20260101120000||ORU^R01^ORU_R01|1|P|2.5.1",
        "PID|1||100^^^HOSP&1.2.3&ISO||Okafor^Ada",
        "OBR|1|P1^EHR|F1^LAB|24323-8^Panel^LN|||20260101||||||||||||||20260102||CH|F",
        "OBX|1|NM|2345-7^Glucose^LN||5.0|mmol/L^^UCUM|3.5-5.1|PANIC|||F",
    )
    for path in (folder / "message.hl7", folder / "samples" / "one.hl7"):
        path.write_text("\r".join(lines) + "\r")
    keys = KeySet([ECKey.generate_key("P-384", {"kid": "1", "use": "sig"}, auto_kid=False)])
    (folder / "keys.json").write_text(json.dumps(keys.as_dict(private=False)))
    return folder


@pytest.fixture(scope="module")
def hl7_port(folder: Path) -> Iterator[int]:
    port, hl7_port = free_port(), free_port()
    command = [*HEARTH, "serve", "--open", "--port", str(port), "--hl7-port", str(hl7_port), "--data-dir", "var"]
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    wait(child, f"http://127.0.0.1:{port}/health/ready", folder / "log")
    for there in ("Practitioner/1", "Patient/ada"):
        type, _, id = there.partition("/")
        body, kind = f'{{"resourceType": "{type}", "id": "{id}"}}', {"Content-Type": "application/fhir+json"}
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/fhir/{there}", body.encode(), kind, method="PUT")
        urllib.request.urlopen(asked, timeout=30).close()
    one = [*HEARTH, "person", "add", "root", "--administrator", "--data-dir", "var"]  # the last one cannot be disabled
    subprocess.run(one, cwd=folder, check=True, capture_output=True)
    yield hl7_port
    stop(child)


ALONE = {
    "backup FOLDER",
    "check",
    "migrate",
    "letters",
    "keys list",
    "keys rotate",
    "hl7 check",
    "hl7 tail",
    "hl7 worklist",
    "hl7 strangers",
}
ELSEWHERE = ("serve", "hl7 show aside")
"""Beginnings of what other tests run."""


def typed(guide: str, hl7_port: int) -> Iterator[list[str]]:
    """The commands of ``guide`` in its order, each once, those alone that do something as they stand."""
    known = dict.fromkeys(each.words for each in said(guide))
    for words in (
        each for each in known if each in ALONE or (len(each.split()) > 2 and not each.startswith(ELSEWHERE))
    ):
        yield [word.replace("2575", str(hl7_port)) for word in argv(AS_RUN.get(words, words))]


def test_the_commands_of_the_guides_do_what_they_say(hl7_port: int, folder: Path) -> None:
    """What one guide registers another one changes."""
    commands = [
        words for guide in ("docs/hl7.md", "docs/apps.md", "docs/operator.md") for words in typed(guide, hl7_port)
    ]
    assert len(commands) > 30
    for words in commands:
        where = [] if "--data-dir" in words else ["--data-dir", "var"]
        done = subprocess.run([*HEARTH, *words, *where], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (words, done.stderr)
