"""What the driver is told beside the address: when to give up, and of several hosts the one that takes writes."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from capability.database_address import conninfo


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_host_that_is_gone_is_given_up(scheme: str) -> None:
    made = conninfo_to_dict(conninfo(f"{scheme}://me:p%40ss@db.example:5433/hearth"))
    assert (made["user"], made["password"], made["host"], made["port"]) == ("me", "p@ss", "db.example", "5433")
    assert (made["dbname"], str(made["connect_timeout"]), made["tcp_user_timeout"]) == ("hearth", "10", "15000")
    assert "target_session_attrs" not in made


def test_of_several_hosts_the_one_that_takes_writes() -> None:
    made = conninfo_to_dict(conninfo("postgresql://me@a:1,b:2/hearth"))
    assert (made["host"], made["port"], made["target_session_attrs"]) == ("a,b", "1,2", "read-write")


def test_what_the_address_says_goes_first() -> None:
    made = conninfo_to_dict(
        conninfo("postgresql://me@a,b/x?connect_timeout=3&target_session_attrs=primary&sslmode=require")
    )
    assert (str(made["connect_timeout"]), made["target_session_attrs"], made["sslmode"]) == ("3", "primary", "require")


def test_a_socket() -> None:
    made = conninfo_to_dict(conninfo("postgresql:///hearth?host=/run/postgresql"))
    assert (made["host"], made["dbname"]) == ("/run/postgresql", "hearth")
