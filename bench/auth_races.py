"""Bars of the authorization server: twenty redeem one code, one refresh token; exactly one succeeds, every time.

RFC 6749 sections 4.1.2 and 6, RFC 9700 section 4.14.2; each of the twenty has a database connection of its own.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from time import perf_counter

from msgspec.structs import replace

from bench.bar import Bar, Figure, Profile
from bench.server import fresh
from smart_auth.model import Approval, Code, RefreshToken
from smart_auth.records import MIGRATIONS, SqlRecords, engine_for

THREADS = 20
REPETITIONS = 200
NOW = 1_000_000
Race = Callable[[SqlRecords, int, int], bool]


def _measure(race: Race) -> Callable[[Profile], Figure]:
    """``race(records, repetition, thread)`` says whether this thread won; figures of each database."""

    def measure(profile: Profile) -> Figure:
        texts, problems = [], []
        for name, database in profile.databases.items():
            with TemporaryDirectory(prefix="hearth-races-") as folder, fresh(database, Path(folder)) as url:
                started, found = perf_counter(), _repeated(url, race, profile.size(REPETITIONS))
                spent = perf_counter() - started
            wrong = sum(times for winners, times in found.items() if winners != 1)
            texts.append(f"{name}: one winner in {found[1]} of {found.total()} ({spent:.0f} s)")
            problems += [f"{name}: winners per repetition {dict(found)}"] if wrong else []
        return Figure("; ".join(texts), not problems, tuple(problems))

    return measure


def _repeated(url: str, race: Race, repetitions: int) -> Counter[int]:
    """How many repetitions had how many winners."""
    engines = [engine_for(url) for _ in range(THREADS)]
    records = [SqlRecords(engine) for engine in engines]
    with engines[0].begin() as connection:
        for migration in MIGRATIONS:
            migration.apply(connection)
    for repetition in range(repetitions):
        _prepare(records[0], repetition)
    barrier = Barrier(THREADS, timeout=120)

    def run(thread: int) -> list[bool]:
        return [barrier.wait() >= 0 and race(records[thread], repetition, thread) for repetition in range(repetitions)]

    with ThreadPoolExecutor(THREADS) as pool:
        won = list(pool.map(run, range(THREADS)))
    for engine in engines:
        engine.dispose()
    return Counter(map(sum, zip(*won, strict=True)))


def _prepare(records: SqlRecords, repetition: int) -> None:
    """A family with an unused code and an unused refresh token."""
    id = str(repetition)
    code = Code(code_hash=id, approval=id, client="app", redirect_uri="", challenge="", expires=NOW + 60)
    records.put_approval(Approval(id=id, client="app", scopes="openid"), code, _token(id))


def _token(id: str) -> RefreshToken:
    return RefreshToken(token_hash=id, approval=id, client="app", expires=NOW + 60)


def _redeem(records: SqlRecords, repetition: int, thread: int) -> bool:
    told = records.use_code(str(repetition), NOW)
    return told is not None and told[1]


def _rotate(records: SqlRecords, repetition: int, thread: int) -> bool:
    """Whether it won; who lost must not have left a successor."""
    successor = replace(_token(str(repetition)), token_hash=f"{repetition} by {thread}")
    won = records.rotate(str(repetition), successor, NOW)
    if won != (records.refresh(successor.token_hash) is not None):
        raise AssertionError(f"rotate said {won}, the successor says otherwise")
    return won


BARS: tuple[Bar, ...] = (
    Bar("auth: 20 threads redeem one code", "exactly one succeeds, 200 times", _measure(_redeem)),
    Bar("auth: 20 threads use one refresh token", "exactly one succeeds, 200 times", _measure(_rotate)),
)
