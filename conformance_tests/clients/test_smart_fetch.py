"""PyPI's smart-fetch as a backend service: discovery, signed assertion, token, then a crawl of the record."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conformance_tests.smart.provider import Provider
from conformance_tests.smart.tokens import EC, RSA

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database

PROGRAM = Path(sys.executable).with_name("smart-fetch")
CLIENT = "fetcher"


@pytest.fixture
def fetcher(provider: Provider) -> str:
    """The id of a backend service registered for smart-fetch."""
    if CLIENT not in provider.apps:
        jwks = json.dumps({"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]})
        fields = {"name": "smart-fetch", "kind": "asymmetric", "backend": "yes", "jwks": jwks}
        provider.register(CLIENT, scopes="system/*.read", **fields)
        provider.app(CLIENT)
    return CLIENT


def run(provider: Provider, folder: Path, *arguments: str, key: object = RSA) -> subprocess.CompletedProcess[str]:
    """One command; smart-fetch wants the key's operations and algorithm in the key file."""
    alg = "RS384" if key is RSA else "ES384"
    private = key.as_dict(private=True) | {"alg": alg, "key_ops": ["sign"]}  # type: ignore[attr-defined]
    file = folder / "key.jwks"
    file.write_text(json.dumps({"keys": [{name: value for name, value in private.items() if name != "use"}]}))
    shared = ["--fhir-url", provider.base, "--smart-client-id", CLIENT, "--smart-key", str(file)]
    command = [str(PROGRAM), *arguments[:1], *shared, *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)


@requirement("client: PyPI smart-fetch")
@pytest.mark.parametrize("key", [RSA, EC], ids=["RS384", "ES384"])
def test_a_single_resource(provider: Provider, fetcher: str, tmp_path: Path, key: object) -> None:
    done = run(provider, tmp_path, "single", "Patient/ada", key=key)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["id"] == "ada"


@requirement("client: PyPI smart-fetch")
def test_a_crawl(provider: Provider, fetcher: str, tmp_path: Path) -> None:
    done = run(
        provider, tmp_path, "crawl", "--id-list", "ada,bob", "--type", "Patient,Observation,Condition",
        "--no-compression", "--no-default-filters", "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = [json.loads(line) for path in (tmp_path / "out").rglob("*.ndjson") for line in path.open()]
    ids = {f"{each['resourceType']}/{each['id']}" for each in found if "id" in each and "resourceType" in each}
    assert {"Patient/ada", "Patient/bob", "Observation/laboratory-bob", "Condition/health-concern-ada"} <= ids


@requirement("client: PyPI smart-fetch")
def test_a_strangers_key_is_refused(provider: Provider, fetcher: str, tmp_path: Path) -> None:
    from conformance_tests.smart.tokens import STRANGER

    done = run(provider, tmp_path, "single", "Patient/ada", key=STRANGER)
    assert done.returncode != 0 and "Byron" not in done.stdout
