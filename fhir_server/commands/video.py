"""``hearth video turn-config|waiting|again``: the TURN server's configuration, and facts that wait for a person.

docs/adr/video-record.md; draft-uberti-behave-turn-rest-00.
"""

from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fhir_server.commands import CommandError
from fhir_server.commands.authority import table
from fhir_server.settings import Settings
from video.turn import configuration

Action = Callable[[Settings, Namespace], None]


def run(settings: Settings, action: str, asked: Namespace) -> int:
    """Do one of ACTIONS."""
    ACTIONS[action](settings, asked)
    return 0


def _turn_config(settings: Settings, asked: Namespace) -> None:
    if not settings.video_ice_servers:
        raise CommandError("VIDEO_ICE_SERVERS names no TURN server; set it to its address, and VIDEO_ICE_SECRET too")
    media = settings.video_media_addresses or (settings.video_host,)
    realm = urlsplit(settings.video_url).hostname or "hearth"
    try:
        servers, secret = settings.video_ice_servers, settings.video_ice_secret
        print(configuration(servers, secret, media, realm, asked.cert, asked.key), end="")
    except ValueError as error:
        raise CommandError(f"the TURN server cannot be configured: {error}") from None


def _waiting(settings: Settings, asked: Namespace) -> None:
    from fhir_server.video import spool
    from fhir_server.wiring import Process

    with Process(settings) as process:
        facts = spool(process)
        aside, (waiting, _) = facts.aside(), facts.counts()
        facts.close()
    print(f"{waiting} facts of visits are on their way to the record, {len(aside)} wait for a person")
    rows = [(one.room, str(one.number), one.reason, _moment(one.settled)) for one in aside]
    if rows:
        print(table([("ROOM", "FACT", "WHY", "SINCE"), *rows]))


def _again(settings: Settings, asked: Namespace) -> None:
    from fhir_server.video import spool
    from fhir_server.wiring import Process

    with Process(settings) as process:
        facts = spool(process)
        print(f"{facts.again(asked.room)} facts are tried again")
        facts.close()


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}Z"


ACTIONS: dict[str, Action] = {"turn-config": _turn_config, "waiting": _waiting, "again": _again}
