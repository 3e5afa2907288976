"""``hearth client add|list|disable|remove|clearance``: apps and backend services.

SMART App Launch 2.2 (public, symmetric and asymmetric clients), RFC 7591 for the names of the fields.
"""

from argparse import Namespace
from pathlib import Path

from msgspec.structs import replace

from fhir_server.commands import CommandError
from fhir_server.commands.authority import BY, Action, authority, show_secret, table
from fhir_server.settings import Settings
from smart_auth.model import Clearance, Client, ClientKind, Event, Told
from smart_auth.people.passwords import Passwords
from smart_auth.people.registration import check
from smart_auth.people.secret import fresh
from smart_auth.service import AuthService


def run(settings: Settings, action: str, asked: Namespace) -> int:
    """Do one of ACTIONS. Raises CommandError with what is wrong."""
    with authority(settings) as service:
        ACTIONS[action](service, asked)
    return 0


def _add(service: AuthService, asked: Namespace) -> None:
    if service.records.client(asked.id):
        raise CommandError(f"there is a client {asked.id!r} already; see `hearth client list`")
    client, secret = check(_described(asked, service.now())), ""
    if client.kind is ClientKind.SYMMETRIC:
        secret = fresh()
        client = replace(client, secret_argon2=Passwords().hash(secret))
    service.records.put_client(client)
    _tell(service, client.id, "registered")
    if secret:
        show_secret(f"The secret of {client.id}; it is not shown again:", secret)


def _described(asked: Namespace, now: int) -> Client:
    return Client(
        id=asked.id,
        name=asked.name or asked.id,
        kind=ClientKind(asked.kind),
        jwks=_text(asked.jwks),
        jwks_uri=asked.jwks_uri,
        redirect_uris=tuple(asked.redirect_uri),
        launch_uri=asked.launch_uri,
        scopes=" ".join(asked.scopes.split()),
        backend=asked.backend,
        trusted=asked.trusted,
        ehr=asked.ehr,
        introspects=asked.introspects,
        created=now,
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"the key set cannot be read: {error}") from None


def _list(service: AuthService, asked: Namespace) -> None:
    rows = [("CLIENT", "NAME", "KIND", "CLEARANCE", "STATE", "SCOPES"), *map(_row, service.records.clients())]
    print(table(rows))


def _row(client: Client) -> tuple[str, ...]:
    flags = ("disabled", "backend", "trusted", "ehr", "introspects")
    state = ", ".join(flag for flag in flags if getattr(client, flag)) or "active"
    return client.id, client.name, str(client.kind), client.clearance.words, state, client.scopes or "-"


def _disable(service: AuthService, asked: Namespace) -> None:
    """Its tokens end too."""
    client, now = _found(service, asked), service.now()
    service.records.amend_client(client.id, {"disabled": True})
    service.records.revoke_client(client.id, now, now + service.lifetimes.user_token)
    _tell(service, client.id, "disabled")


def _clear(service: AuthService, asked: Namespace) -> None:
    service.clearances.change(_found(service, asked), Clearance.named(asked.clearance), BY)


def _remove(service: AuthService, asked: Namespace) -> None:
    service.records.delete_client(_found(service, asked).id, service.now())
    _tell(service, asked.id, "deleted")


def _found(service: AuthService, asked: Namespace) -> Client:
    client = service.records.client(asked.id)
    if client is None:
        raise CommandError(f"there is no client {asked.id!r}; see `hearth client list`")
    return client


def _tell(service: AuthService, client: str, what: str) -> None:
    service.tell(Told(event=Event.CLIENT_CHANGED, who=BY, client=client, detail=what))


ACTIONS: dict[str, Action] = {"add": _add, "list": _list, "disable": _disable, "remove": _remove, "clearance": _clear}
