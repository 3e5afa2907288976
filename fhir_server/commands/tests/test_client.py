"""``hearth client``: apps and services; a shared secret is shown once and kept as a hash."""

import json
from pathlib import Path

from joserfc.jwk import ECKey

from fhir_server.commands.tests.conftest import Run

APP = ("--redirect-uri", "https://app.example/back", "--scopes", "patient/*.rs  openid")


def test_the_three_kinds(run: Run, tmp_path: Path) -> None:
    status, secret, err = run("client", "add", "portal", "--name", "Portal", "--kind", "symmetric", *APP)
    assert (status, len(secret.strip())) == (0, 43) and "not shown again" in err
    assert run("client", "add", "growth", *APP)[:2] == (0, "")
    key = ECKey.generate_key("P-384", auto_kid=True)
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    robot = ("robot", "--kind", "asymmetric", "--backend", "--jwks", str(keys), "--scopes", "system/*.rs")
    assert run("client", "add", *robot)[:2] == (0, "")
    listed = run("client", "list")[1]
    assert [line.split()[0] for line in listed.splitlines()] == ["CLIENT", "growth", "portal", "robot"]
    assert "backend" in listed and "patient/*.rs openid" in listed and secret.strip() not in listed


def test_disable_and_remove(run: Run) -> None:
    run("client", "add", "growth", *APP)
    assert run("client", "disable", "growth")[0] == 0
    assert "disabled" in run("client", "list")[1]
    assert run("client", "remove", "growth")[0] == 0
    assert "growth" not in run("client", "list")[1]


def test_what_is_wrong_is_told(run: Run, tmp_path: Path) -> None:
    run("client", "add", "growth", *APP)
    assert "already" in run("client", "add", "growth", *APP)[2]
    assert "no client 'nothing'" in run("client", "remove", "nothing")[2]
    assert "redirect address" in run("client", "add", "other", "--scopes", "openid")[2]
    assert "cannot be read" in run("client", "add", "robot", "--jwks", str(tmp_path / "absent"))[2]
    assert "shared secret" in run("client", "add", "robot", "--backend", *APP)[2]


def test_a_clearance(run: Run) -> None:
    run("client", "add", "growth", *APP)
    assert run("client", "list")[1].split("\n")[1].split()[3] == "normal"
    assert run("client", "clearance", "growth", "very-restricted")[0] == 0
    assert run("client", "list")[1].split("\n")[1].split()[3] == "very-restricted"
    assert "no client 'nothing'" in run("client", "clearance", "nothing", "normal")[2]
