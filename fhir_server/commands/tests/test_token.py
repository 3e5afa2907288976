"""``hearth token``: a token alone on the last line, for the server of the folder."""

from pathlib import Path

from fhir_server.commands.tests.conftest import Run
from fhir_server.preparation import prepare
from fhir_server.settings import Settings, load
from fhir_server.whereabouts import remember
from fhir_server.wiring import Process


def place(tmp_path: Path, database_url: str) -> Settings:
    given = {"DATA_DIR": str(tmp_path / "var"), "DATABASE": database_url, "PORT": "8391"}
    return load(given, {})


def test_a_token_stands_alone_and_is_good_at_the_server_of_the_folder(
    run: Run, tmp_path: Path, database_url: str
) -> None:
    settings = place(tmp_path, database_url)
    prepare(settings)
    remember(settings)
    status, out, _ = run("token", "--scope", "patient/Observation.rs", "--patient", "Patient/p1")
    assert status == 0
    token = out.splitlines()[-1]
    assert token == out.strip()
    with Process(settings) as process:
        process.authorization.revocations.start()
        claims = process.authorization.service.verifier.claims(token)
    assert (claims.scope, claims.patient, claims.client) == ("patient/Observation.rs", "p1", "hearth-cli")


def test_what_no_token_can_say_is_refused(run: Run) -> None:
    for words in (("nonsense",), ("patient/*.rs",), ("system/*.rs user/*.rs",)):
        status, out, err = run("token", "--scope", *words)
        assert (status, out) == (2, "")
        assert err.startswith("hearth: invalid_scope")
