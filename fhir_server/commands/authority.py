"""The authorization server for one command: opened on the data folder, told to the audit trail as ``cli``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fhir_server import wiring
from fhir_server.commands import CommandError
from fhir_server.preparation import prepare
from fhir_server.settings import Settings
from fhir_server.whereabouts import recall
from resources.errors import Unavailable
from smart_auth.errors import AuthError
from smart_auth.people.accounts import Accounts
from smart_auth.people.passwords import Passwords
from smart_auth.people.registration import NotRegistrable
from smart_auth.service import AuthService

BY = "cli"


@contextmanager
def authority(settings: Settings) -> Iterator[AuthService]:
    """The service of the server that ``settings`` name, or that last served their folder. Raises CommandError with
    what the authorization server says against it."""
    told = recall(settings)
    prepare(told)
    with wiring.Process(told) as process:
        try:
            yield process.authorization.service
        except (AuthError, NotRegistrable, Unavailable) as refusal:
            raise CommandError(str(refusal)) from None


def accounts(service: AuthService) -> Accounts:
    return Accounts(
        service.records, service.chart, service.tell, Passwords(), service.now, service.lifetimes.user_token
    )


def table(rows: list[tuple[str, ...]]) -> str:
    """``rows`` in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def show_secret(explanation: str, secret: str) -> None:
    """The one time that a secret is seen: alone on the last line of standard output."""
    print(explanation, file=sys.stderr)
    print(secret)


Action = Callable[..., None]
