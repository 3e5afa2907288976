"""Scripts for the tests: a room to which things happen, and what came of them."""

from video.ports import Fact, MediaState, Role, Source
from video.room import events
from video.room.effects import Effect, Record, Tell
from video.room.machine import step
from video.room.model import Room, Rules

RULES = Rules()
DOCTOR, PATIENT, GUEST = "dr", "pt", "guest"
ROLES = {DOCTOR: Role.PRACTITIONER, PATIENT: Role.PATIENT, GUEST: Role.INTERPRETER}


def new_room() -> Room:
    return Room("room", "Encounter/1", "Appointment/1", "Patient/1")


def seat(member: str) -> events.Seat:
    return events.Seat(member, role=ROLES[member], name=f"Name of {member}", actor=f"Actor/{member}")


class Play:
    """``now`` in ms; effects since the last ``clear``."""

    def __init__(self) -> None:
        self.room, self.now = new_room(), 1_000_000
        self.effects: list[Effect] = []

    def do(self, *happened: events.Event, after: int = 1) -> "Play":
        for event in happened:
            self.now += after
            self.room, effects = step(self.room, event, self.now, RULES)
            self.effects += effects
        return self

    def clear(self) -> "Play":
        self.effects = []
        return self

    def wait(self, ms: int) -> "Play":
        return self.do(events.Tick(), after=ms)

    def facts(self) -> list[Fact]:
        return [effect.fact for effect in self.effects if isinstance(effect, Record)]

    def kinds(self) -> list[str]:
        return [fact.kind.value for fact in self.facts()]

    def told(self, member: str) -> list[str]:
        return [effect.event for effect in self.effects if isinstance(effect, Tell) and effect.member == member]

    def arrive(self, member: str) -> "Play":
        return self.do(seat(member), events.Connected(member))

    def media(self, member: str, *states: MediaState, source: Source | None = None) -> "Play":
        session = self.room.members[member].session
        return self.do(*(events.Media(member, session=session, state=state, source=source) for state in states))

    def send(self, member: str, session: str = "") -> "Play":
        self.do(events.Offered(member, session=session or f"session of {member}"))
        self.media(member, MediaState.CONNECTED)
        return self.media(member, MediaState.SENDING, source=Source.MICROPHONE)


def waiting() -> Play:
    """The doctor is there and the patient waits."""
    return Play().arrive(DOCTOR).arrive(PATIENT).do(events.Ready(PATIENT, PATIENT))


def running() -> Play:
    """Both talk."""
    return waiting().do(events.Admit(PATIENT, DOCTOR)).send(DOCTOR).send(PATIENT)
