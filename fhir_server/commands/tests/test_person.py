"""``hearth person``: accounts and their one-time links."""

from fhir_server.commands.tests.conftest import Run


def test_add_list_disable_enable_reset(run: Run) -> None:
    status, link, err = run("person", "add", "root", "--name", "Root", "--administrator")
    assert status == 0 and "works once" in err
    assert link.startswith("http://127.0.0.1:8080/auth/link/") and len(link.splitlines()) == 1
    run("person", "add", "clerk", "--name", "A Clerk")
    assert run("person", "disable", "clerk")[0] == 0
    listed = run("person", "list")[1]
    assert "A Clerk" in listed and "disabled" in listed and "administrator, no password yet" in listed
    assert run("person", "enable", "clerk")[0] == 0
    assert "disabled" not in run("person", "list")[1]
    again = run("person", "reset", "CLERK")[1]
    assert "/auth/link/" in again and again != link


def test_what_is_wrong_is_told(run: Run) -> None:
    assert run("person", "add", "grace", "--fhir-user", "Practitioner/1")[::2] == (
        2,
        "hearth: The record has no Practitioner/1.\n",
    )
    run("person", "add", "root", "--administrator")
    assert run("person", "add", "root")[0] == 2
    assert "last administrator" in run("person", "disable", "root")[2]
    assert "last administrator" in run("person", "role", "root")[2]
    assert "nobody logs in as 'nobody'" in run("person", "enable", "nobody")[2]


def test_a_clearance(run: Run) -> None:
    run("person", "add", "grace")
    assert run("person", "clearance", "GRACE", "restricted")[0] == 0
    assert run("person", "list")[1].split("\n")[1].split()[4] == "restricted"
    assert "nobody logs in as 'nobody'" in run("person", "clearance", "nobody", "normal")[2]
