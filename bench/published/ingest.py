"""W6, ingest: transactions that refer to nothing outside, each a patient with the hospitals and staff who saw them.

After mock.health (32 threads for a server of 12 processors); what is counted is bundles.
"""

from collections.abc import Iterator

from bench.published import checks
from bench.published.bundles import transactions
from bench.published.load import Ask, Iteration, Workload, one
from bench.published.record import Sample

CONNECTIONS = 3


def _client(sample: Sample, number: int) -> Iterator[Iteration]:
    # Copies from the back, W2's are from the front.
    bundles = transactions(sample, -1 - number, -CONNECTIONS, conditional=False)

    def ask() -> Ask:
        body, count = next(bundles)
        return Ask("transaction", "POST", "", checks.stored(count), body)

    return one(ask)


WORKLOAD = Workload("W6", "ingest", CONNECTIONS, 90, _client, "bundles")
