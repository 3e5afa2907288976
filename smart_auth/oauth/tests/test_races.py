"""Twenty threads with one code, or with one refresh token: exactly one succeeds, on SQLite and on PostgreSQL.

RFC 6749 section 4.1.2, RFC 9700 section 4.14. HEARTH_RACES=200 repeats each as often as the bar says.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import drop_postgresql, fresh_postgresql
from smart_auth.conftest import make_tables
from smart_auth.oauth.answer import Answer
from smart_auth.oauth.client_authentication import Presented
from smart_auth.oauth.tests.rig import REDIRECT, VERIFIER, Rig
from smart_auth.records import SqlRecords, engine_for

THREADS = 20
TIMES = int(os.environ.get("HEARTH_RACES", "8"))


@pytest.fixture(params=("sqlite", "postgresql"))
def records(request: pytest.FixtureRequest) -> Iterator[SqlRecords]:
    """Overrides the package's: on both databases."""
    postgresql = request.param == "postgresql"
    url = fresh_postgresql() if postgresql else str(request.getfixturevalue("records_url"))
    if postgresql:
        make_tables(url)
    engine = engine_for(url)
    yield SqlRecords(engine)
    engine.dispose()
    if postgresql:
        drop_postgresql(url)


@pytest.fixture
def race(rig: Rig) -> Iterator[Callable[[dict[str, str]], list[Answer]]]:
    """Posts one form from all threads at once; the answers."""
    barrier = threading.Barrier(THREADS)

    def post(form: dict[str, str]) -> Answer:
        barrier.wait()
        return rig.service.token_endpoint.answer(Presented("", form))

    with ThreadPoolExecutor(THREADS) as pool:
        yield lambda form: list(pool.map(post, [form] * THREADS))


def _one_won(answers: list[Answer]) -> Answer:
    won = [answer for answer in answers if answer.status == 200]
    lost = {(answer.body or {}).get("error") for answer in answers if answer.status != 200}
    assert (len(won), lost) == (1, {"invalid_grant"})
    return won[0]


def test_one_code(rig: Rig, race: Callable[[dict[str, str]], list[Answer]]) -> None:
    for _ in range(TIMES):
        form = {"grant_type": "authorization_code", "code": rig.authorize()["code"], "redirect_uri": REDIRECT}
        _one_won(race(form | {"code_verifier": VERIFIER, "client_id": "public"}))


def test_one_refresh_token(rig: Rig, race: Callable[[dict[str, str]], list[Answer]]) -> None:
    token = rig.tokens()["refresh_token"]
    for _ in range(TIMES):
        answer = _one_won(race({"grant_type": "refresh_token", "refresh_token": token}))
        assert answer.body
        token = answer.body["refresh_token"]  # the losers were early enough not to end the family
