"""W2, bundle import: hospitals and staff once, then a transaction for each patient that names them by identifier.

After Health Samurai's comparison (20 virtual users for a server of 8 processors, Synthea's patients of 2022).
"""

from collections.abc import Iterator

from bench.http_client import Answer
from bench.published import checks
from bench.published.bundles import staff, transactions
from bench.published.load import Ask, Iteration, Workload, one, responses
from bench.published.record import Sample

CONNECTIONS = 3


def _staff(sample: Sample) -> Iterator[Ask]:
    body, count = staff(sample)
    yield Ask("staff", "POST", "", checks.stored(count), body)


def _client(sample: Sample, number: int) -> Iterator[Iteration]:
    bundles = transactions(sample, number, CONNECTIONS, conditional=True)

    def ask() -> Ask:
        body, count = next(bundles)
        return Ask("transaction", "POST", "", checks.stored(count), body)

    return one(ask)


def _resources(answer: Answer) -> int:
    return len(responses(answer))


WORKLOAD = Workload("W2", "bundle import", CONNECTIONS, 90, _client, "resources", _resources, _staff)
