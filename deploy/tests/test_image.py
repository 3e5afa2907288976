"""What the image installs is whole: the wheel alone, in an empty environment, serves every page and both schemas."""

import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bench.server import free_port, wait_ready
from deploy.constraints import FILE
from deploy.image import BUILDERS, CHECKOUT, command

CONTAINERFILE = (CHECKOUT / "deploy" / "Containerfile").read_text()
PACKAGES = ("resources", "capability", "smart_auth", "hl7_bridge", "video", "fhir_server")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of what the Containerfile copies, and of nothing else."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheels")
    for name in re.findall(r"^COPY (?!--from|deploy/)(.*) \S+$", CONTAINERFILE, re.MULTILINE):
        for each in name.split():
            path = CHECKOUT / each
            leave = shutil.ignore_patterns("__pycache__", "tests", "conftest.py")
            shutil.copytree(path, source / each, ignore=leave) if path.is_dir() else shutil.copy(path, source)
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(source)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True)
    [made] = out.glob("*.whl")
    return made


def test_all_that_is_not_code_is_in_the_wheel(wheel: Path) -> None:
    there = set(zipfile.ZipFile(wheel).namelist())
    files = (path for name in PACKAGES for path in (CHECKOUT / name).rglob("*") if path.is_file())
    wanted = {str(path.relative_to(CHECKOUT)) for path in files if not {"tests", "__pycache__"} & set(path.parts)}
    wanted -= {name for name in wanted if name.endswith(("conftest.py", ".pyc"))}
    assert wanted - there == set()
    assert not any("/tests/" in name for name in there)


@pytest.fixture(scope="module")
def hearth(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment that has the wheel, and what it needs from here, but not the checkout."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    words = ["--python", str(folder / "bin" / "python"), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "hearth"


@pytest.fixture
def port(hearth: Path, tmp_path: Path) -> Iterator[int]:
    port = free_port()
    words = ["serve", "api", "--open", "--port", str(port), "--data-dir", str(tmp_path / "data")]
    process = subprocess.Popen([hearth, *words], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_ready(port, process)
    yield port
    process.terminate()
    process.wait(30)


def test_the_installed_command_serves(hearth: Path, port: int, tmp_path: Path) -> None:
    said = subprocess.run([hearth, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "serve" in said and "rehearse-restore" in said
    found = subprocess.run(
        [hearth.with_name("python"), "-c", "import fhir_server; print(fhir_server.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert Path(found.strip()).is_relative_to(hearth.parents[1])
    for path in ("/", "/fhir/metadata", "/hl7/", "/fhir/Patient?name=x"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            assert answer.status == 200, path


def test_what_is_needed_is_pinned_to_what_it_may_be() -> None:
    pinned = dict(line.split("==") for line in FILE.read_text().splitlines())
    config = ConfigParser()
    config.read(CHECKOUT / "setup.cfg")
    for line in config["options"]["install_requires"].split():
        needed = Requirement(line)
        name = canonicalize_name(needed.name)
        assert name in pinned, f"{name}: run `make constraints`"
        assert needed.specifier.contains(pinned[name]), name
    assert "psycopg-binary" in pinned


def test_the_image_keeps_no_secret_and_runs_as_nobody() -> None:
    assert re.search(r"^USER 10001:10001$", CONTAINERFILE, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["tini", "--", "hearth"\]$', CONTAINERFILE, re.MULTILINE)
    assert not re.search(r"(?i)^(ENV|ARG).*(KEY|SECRET|PASSWORD|TOKEN)", CONTAINERFILE, re.MULTILINE)
    ignored = (CHECKOUT / ".containerignore").read_text().split("\n")
    assert ignored[1] == "*" and not any(line.startswith(("!var", "!.")) for line in ignored)
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", CONTAINERFILE, re.MULTILINE)
    for name in (each for line in copied for each in line.split()):
        assert (CHECKOUT / name).exists() and f"!{name}" in ignored


def test_the_builder_that_is_here_is_asked() -> None:
    made = command("hearth:x")
    assert made == [] or ((made[0], made[1]) in BUILDERS and made[-3:] == ["--tag", "hearth:x", "."])
