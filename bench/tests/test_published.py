"""The published workloads: what they send is valid and refers to what is there, and no wrong answer goes unnoticed."""

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from bench.clinical import MAKERS, chart
from bench.http_client import Answer
from bench.published import checks
from bench.published.bundles import STAFF, staff, transactions
from bench.published.load import Ask, Iteration, Running, Tally, Workload, came, one
from bench.published.page import BEGIN, END, replaced, section
from bench.published.plots import write
from bench.published.record import Sample
from bench.published.results import Result, Run, Spent, keep, latest, part, result
from bench.scaled import own_templates
from bench.server import free_port
from resources import validation

SAMPLE = Sample({}, (), own_templates(), "own")
SIZES = {"Patient": (4000, 5500), "ExplanationOfBenefit": (7000, 9500)}
SENT = b'{"resourceType":"Patient","gender":"female"}'
STORED = b'{"resourceType":"Patient","id":"1","meta":{"versionId":"1"},"gender":"female"}'


def test_every_resource_of_our_own_is_valid_and_as_large_as_published() -> None:
    for resource in chart(1):
        validation.check(resource)
    made = {type: f"{type}/1" for type in MAKERS}
    for type, maker in MAKERS.items():
        resource = maker(random.Random(type), made)
        validation.check(resource)
        least, most = SIZES.get(type, (300, 2000))
        assert least < len(json.dumps(resource, separators=(",", ":"))) < most


def _references(bundle: dict[str, Any]) -> set[str]:
    return set(re.findall(r'"reference": "([^"#]*)"', json.dumps(bundle)))


def test_imported_bundles_name_staff_by_an_identifier_that_the_staff_have() -> None:
    stored = {
        f"{entry['resource']['resourceType']}?identifier={STAFF}|{entry['resource']['identifier'][-1]['value']}"
        for entry in json.loads(staff(SAMPLE)[0])["entry"]
    }
    bodies = transactions(SAMPLE, 0, 1, conditional=True)
    for _ in range(45):  # more than a copy has
        body, count = next(bodies)
        bundle = json.loads(body)
        own = {entry["fullUrl"] for entry in bundle["entry"]}
        assert len(own) == count
        assert _references(bundle) - own <= stored
        assert _references(bundle) & stored


def test_ingested_bundles_refer_to_nothing_outside_and_differ() -> None:
    bodies = transactions(SAMPLE, -1, -3, conditional=False)
    urls: list[str] = []
    for _ in range(3):
        bundle = json.loads(next(bodies)[0])
        own = {entry["fullUrl"] for entry in bundle["entry"]}
        assert _references(bundle) <= own
        urls += own
    assert len(urls) == len(set(urls))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (STORED, ""),
        (STORED.replace(b"female", b"male"), "another gender"),
        (SENT, "no id or no version"),
    ],
)
def test_a_resource_has_to_come_back_as_it_was_sent(body: bytes, words: str) -> None:
    assert checks.holds(SENT, 200)(Answer(200, {}, body)) == words


def _page(*ids: str, type: str = "Patient") -> Answer:
    entries = [{"resource": {"resourceType": type, "id": id}, "search": {"mode": "match"}} for id in ids]
    return Answer(200, {}, json.dumps({"type": "searchset", "entry": entries}).encode())


def test_a_search_has_to_find_the_same_page_again() -> None:
    check = checks.Pages().of("Patient?name=a")
    assert check(_page("1", "2")) == ""
    assert check(_page("1", "2")) == ""
    assert check(_page("2", "1")) == "another page than before"
    assert check(_page("1", type="Group")) == "another type"
    assert check(_page(*map(str, range(21)))) == "not a page of that length"
    assert checks.Pages().of("Patient?name=a&_total=accurate")(_page("1")) == "no total"


def test_a_transaction_has_to_store_every_entry() -> None:
    def answer(*statuses: str) -> Answer:
        entries = [{"response": {"status": status, "location": "Patient/1/_history/1"}} for status in statuses]
        return Answer(200, {}, json.dumps({"entry": entries}).encode())

    assert checks.stored(2)(answer("201 Created", "200 OK")) == ""
    assert checks.stored(3)(answer("201 Created", "200 OK")) != ""
    assert checks.stored(1)(answer("400 Bad Request")) != ""
    posted = Ask("", "POST", "", checks.stored(2))
    assert came(posted, answer("201 Created", "200 OK")) == {"Patient": 1}
    assert came(Ask("", "DELETE", "Patient/1", checks.status(204)), Answer(204, {}, b"")) == {"Patient": -1}


def test_a_server_that_is_not_there_is_an_error_for_each_iteration() -> None:
    def client(sample: Sample, number: int) -> Any:
        return one(lambda: Ask("read", "GET", "Patient/1", checks.status(200)))

    async def run() -> Tally:
        return await Running(Workload("W0", "none", 2, 10, client), SAMPLE, free_port(), 1.0).measure()

    tally = asyncio.run(run())
    assert (tally.errors, len(tally.faults), tally.seconds) == (10, 5, {})


def test_an_iteration_ends_at_its_first_wrong_answer() -> None:
    asked: list[str] = []

    def iteration() -> Iteration:
        for path in ("Patient/1", "Patient/2"):
            asked.append(path)
            yield Ask("read", "GET", path, lambda answer: "never right")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (await reader.readline()).strip() or not reader.at_eof():
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def run() -> Tally:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        workload = Workload("W0", "none", 1, 2, lambda sample, number: iter([iteration(), iteration()]))
        load = Running(workload, SAMPLE, server.sockets[0].getsockname()[1], 1.0)
        tally = await load.measure()
        load.close()
        server.close()
        return tally

    assert asyncio.run(run()).errors == 2
    assert asked == ["Patient/1", "Patient/1"]


def _results(size: int, seconds: float = 2.0) -> list[Result]:
    workload = Workload("W1", "CRUD loop", 3, 10, lambda sample, number: iter(()))
    tally = Tally({"GET": [0.001] * 98 + [0.5] * 2}, 100)
    own = {"postgresql": 0.1, "sqlite": None}
    return [result(workload, Run(name, size, 1.0, "own"), tally, Spent(seconds, 0.2, own[name]), 60.0) for name in own]


def test_parts_of_times() -> None:
    found = _results(10_000)[0]
    assert (found.rate, found.server, found.database) == (50.0, 2.0, 1.0)
    assert (found.p50, found.p95, found.p99) == (1.0, 1.0, 500.0)
    assert part([], 0.5) == 0.0


def test_the_last_full_run_counts(tmp_path: Path) -> None:
    keep([*_results(10_000), *_results(100_000), *_results(10_000, seconds=4.0)], tmp_path)
    assert [(r.size, r.database_name, r.rate) for r in latest(tmp_path)] == [
        (10_000, "postgresql", 25.0), (10_000, "sqlite", 25.0),
        (100_000, "postgresql", 50.0), (100_000, "sqlite", 50.0),
    ]  # fmt: skip


def test_table_and_plots_are_the_same_whenever_they_are_written(tmp_path: Path) -> None:
    results = [*_results(10_000), *_results(100_000)]
    first = {path.name: path.read_bytes() for path in write(results, tmp_path / "a")}
    assert first == {path.name: path.read_bytes() for path in write(results, tmp_path / "b")}
    assert set(first) == {"throughput.svg", "latency.svg", "cpu.svg"}
    table = section(results)
    assert "| W1 CRUD loop | 10 k | 50 requests/s | 2 + 1 | 1 / 1 / 500 | 50 requests/s | 2 | 1 / 1 / 500 |" in table
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replaced(page, table) == f"before\n{BEGIN}\n{table}{END}\nafter\n"
    with pytest.raises(ValueError, match="unpack"):
        replaced("a page without marks", table)
