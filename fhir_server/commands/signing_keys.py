"""``hearth keys list|rotate``: the keys that sign tokens.

RFC 7517 (JWK Set), OpenID Connect Core 10.1.1 (rotation), NIST SP 800-57 part 1 section 5.3 (cryptoperiods).
"""

from argparse import Namespace
from datetime import UTC, datetime

from fhir_server.commands.authority import BY, Action, authority, table
from fhir_server.settings import Settings
from smart_auth.model import Event, SigningKey, Told
from smart_auth.service import AuthService


def run(settings: Settings, action: str, asked: Namespace) -> int:
    """Do one of ACTIONS."""
    with authority(settings) as service:
        ACTIONS[action](service, asked)
    return 0


def _list(service: AuthService, asked: Namespace) -> None:
    service.keys.jwks()  # makes the first ones
    keys = sorted(service.records.signing_keys(), key=lambda key: key.created)
    print(table([("KEY", "ALGORITHM", "MADE", "STATE"), *map(_row, keys)]))


def _row(key: SigningKey) -> tuple[str, ...]:
    state = "retired, verifies" if key.retired else "signs" if key.begins else "signs after the next rotation"
    return key.kid, key.alg, f"{datetime.fromtimestamp(key.created, UTC):%Y-%m-%d %H:%M}Z", state


def _rotate(service: AuthService, asked: Namespace) -> None:
    """Every process signs with the new key within seconds; the old one verifies what it signed."""
    kid = service.keys.rotate()
    service.tell(Told(event=Event.KEY_ROTATED, who=BY, detail="by hand"))
    print(f"{kid} signs from now on")


ACTIONS: dict[str, Action] = {"list": _list, "rotate": _rotate}
