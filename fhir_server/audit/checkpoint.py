"""Checkpoints: the heads of all chains, signed together, each checkpoint bound to the one before it.

Ed25519 (RFC 8032); decision in docs/adr/audit-chain.md. Without them the last rows of a chain, or a whole chain,
could be removed and the rest would still fit.

A body is MessagePack: [1, number, recorded, hash of the previous body and signature, [[chain, n, hash], ...]]. Only
heads that moved since the previous checkpoint are in it: the state of a chain is its last mention.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path
from time import time
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fhir_server.audit.chain import HASH_SIZE, LIFETIME, born, oldest_open
from fhir_server.audit.trail import CheckpointRow, Head, OpenTrail, Trail
from fhir_server.keys import Key, KeyName, KeyProblem, Keyring
from resources.errors import Unavailable

_log = logging.getLogger("hearth.audit")
_PAGE = 200
FORM = 1


class Body(NamedTuple):
    """What is signed; ``previous`` is `link` of the checkpoint before, 32 zero bytes for the first."""

    form: int
    number: int
    recorded: int
    previous: bytes
    heads: list[Head]


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Body).decode
FIRST = bytes(HASH_SIZE)


def link(row: CheckpointRow) -> bytes:
    """What the next checkpoint carries of this one."""
    return blake2b(row.body + row.signature, digest_size=HASH_SIZE).digest()


def signed(key: Key, number: int, previous: bytes, heads: Iterable[Head]) -> CheckpointRow:
    """Checkpoint ``number`` over ``heads``, recorded now."""
    recorded = int(time() * 1_000_000)
    body = _pack(Body(FORM, number, recorded, previous, sorted(heads)))
    return CheckpointRow(number, recorded, key.id, body, Ed25519PrivateKey.from_private_bytes(key.secret).sign(body))


def opened(row: CheckpointRow, keyring: Keyring) -> Body | None:
    """The body when the signature and the row's own columns fit it, else None."""
    try:
        key = keyring.by_id(KeyName.AUDIT_SIGNING, row.key)
        Ed25519PrivateKey.from_private_bytes(key.secret).public_key().verify(row.signature, row.body)
        body = _unpack(row.body)
    except (InvalidSignature, KeyProblem, msgspec.DecodeError):
        return None
    return body if (body.form, body.number, body.recorded) == (FORM, row.number, row.recorded) else None


class Checkpoints:
    """Makes the checkpoints of one process; of several processes the one whose number is free makes the next.

    ``witness`` is a local file that keeps the last checkpoint's number and link, so that a database set back to an
    older state, checkpoints and all, is found as well.
    """

    def __init__(
        self,
        keyring: Keyring,
        open_trail: OpenTrail,
        *,
        period: float = 60.0,
        witness: Path | None = None,
        now: Callable[[], float] = time,
    ) -> None:
        """``period`` in seconds, over all processes together; ``open_trail`` is called in the thread that works."""
        self._keyring, self._open_trail, self._period, self._now = keyring, open_trail, period, now
        self._witness = witness
        self._known: dict[int, int] = {}
        self._number = -1
        self._swept = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; `stop` makes a last checkpoint."""
        self._thread = threading.Thread(target=self._run, name="audit-checkpoints", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End the thread after a checkpoint over everything stored so far. Stop the spool first."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def make(self, trail: Trail) -> CheckpointRow | None:
        """A checkpoint now over the heads that moved; None when none moved or another process came first."""
        last = trail.last_checkpoint()
        self._learn(trail, last)
        moved = [head for head in trail.heads(self._since()) if self._known.get(head.chain, 0) < head.n]
        if not moved:
            return None
        number, previous = (last.number + 1, link(last)) if last else (1, FIRST)
        row = signed(self._keyring.current(KeyName.AUDIT_SIGNING), number, previous, moved)
        return row if trail.add_checkpoint(row) else None

    def due(self, trail: Trail) -> bool:
        """Whether the last checkpoint, whoever made it, is a period old."""
        last = trail.last_checkpoint()
        return last is None or self._now() - last.recorded / 1e6 >= self._period

    def _run(self) -> None:
        trail: Trail | None = None
        while not self._stop.wait(self._period / 4):
            trail = self._turn(trail, final=False)
        self._turn(trail, final=True)

    def _turn(self, trail: Trail | None, final: bool) -> Trail | None:
        try:
            trail = trail or self._open_trail()
            if final or self.due(trail):
                self._witnessed(self.make(trail))
            return trail
        except Exception:  # noqa: BLE001
            _log.exception("audit checkpoint not made")
            return None

    def _witnessed(self, row: CheckpointRow | None) -> None:
        if row is None:
            return
        _log.info("audit checkpoint %d %s", row.number, link(row).hex())
        if self._witness is not None:
            write_witness(self._witness, row)

    def _since(self) -> int:
        """Chains take rows for a day. Once an hour all are looked at, in case a clock was wrong or a row came late."""
        now = self._now()
        if now - self._swept < 3600:
            return oldest_open(now)
        self._swept = now
        return 0

    def _learn(self, trail: Trail, last: CheckpointRow | None) -> None:
        """Know the heads that are signed already: those of checkpoints made since the last look."""
        number = last.number if last else 0
        if number < self._number:  # the database was set back
            self._known, self._number = {}, -1
        if self._number < 0:
            self._number = _number_before(trail, number, (self._now() - 2 * LIFETIME) * 1e6)
        while rows := trail.checkpoints_after(self._number, _PAGE):
            for row in rows:
                body = opened(row, self._keyring)
                for head in body.heads if body else ():
                    self._known[head.chain] = max(head.n, self._known.get(head.chain, 0))
            self._number = rows[-1].number
        self._forget()

    def _forget(self) -> None:
        oldest = self._now() - 90 * LIFETIME
        if len(self._known) > 100_000:
            self._known = {chain: n for chain, n in self._known.items() if born(chain) > oldest}


def _number_before(trail: Trail, last: int, recorded: float) -> int:
    """A checkpoint number below all those made after ``recorded``; by bisection, numbers have no gaps."""
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        rows = trail.checkpoints_after(middle, 1)
        if rows and rows[0].recorded < recorded:
            low = rows[0].number
        else:
            high = middle
    return low


def write_witness(path: Path, row: CheckpointRow) -> None:
    """Remember ``row`` in ``path``, atomically; an older one never replaces a newer one."""
    known = read_witness(path)
    if known is not None and known[0] >= row.number:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{threading.get_native_id()}")
    draft.write_text(f"{row.number} {link(row).hex()}\n", "ascii")
    draft.replace(path)


def read_witness(path: Path) -> tuple[int, bytes] | None:
    """Number and link of the last checkpoint this node saw; None when there is no such file yet."""
    try:
        number, digest = path.read_text("ascii").split()
        return int(number), bytes.fromhex(digest)
    except FileNotFoundError:
        return None
    except ValueError:
        raise Unavailable(f"{path} is not a checkpoint witness; remove it after checking why.") from None
