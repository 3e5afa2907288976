"""Bars of the published workloads: on a small record no answer is wrong, and what was answered is what is stored."""

from collections.abc import Callable

from bench.bar import Bar, Figure, Profile, Skipped
from bench.published.record import DATABASES, SMALL, small
from bench.published.run import measured

SHARE = 0.02


def _bar(database: str) -> Callable[[Profile], Figure]:
    def measure(profile: Profile) -> Figure:
        if database not in profile.databases:
            raise Skipped("PostgreSQL could not be had")
        with small(profile.databases[database], profile.size(SMALL, 500)) as of:
            found = list(measured(of, database, max(SHARE, profile.scale / 4)))
        faults = [f"{result.workload}: {fault}" for result in found for fault in result.faults]
        requests, errors = sum(r.requests for r in found), sum(r.errors for r in found)
        return Figure(f"{len(found)} workloads, {requests} requests, {errors} errors", not errors, tuple(faults))

    return measure


BARS = tuple(Bar(f"workloads: W1 to W6 on {database}", "no answer is wrong", _bar(database)) for database in DATABASES)
