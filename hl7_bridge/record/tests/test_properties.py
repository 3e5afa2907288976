"""The same end whatever the order and the repetition of messages: of results, of demographics, with merges in between.

Every example has identities of its own, so that thousands of them share one database.
"""

from itertools import count
from threading import Barrier, Thread

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hl7_bridge.mapping.model import Key, Policy
from hl7_bridge.record.elements import canonical

WORLDS = count(1)
KINDS = ("Patient", "Observation", "DiagnosticReport")
NAMES = ("A", "B", "C", "o1", "o2", "o3", "r1", "r2")
FEW = settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example takes seconds: none of the shrinking
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class World:
    """A record of its own within the record."""

    def __init__(self, bench, draft):
        self.bench, self.draft, self.number = bench, draft, next(WORLDS)

    def key(self, name):
        return Key("urn:test", f"{name}-{self.number}")

    def apply(self, message):
        kind, *rest = message
        return self.bench.apply(getattr(self, kind)(*rest))

    def results(self, patient, time, status, report, values):
        """An ORU with some results, their values depending on time and status alone."""
        made = self.draft(time)
        subject = made.patient(self.key(patient), policy=Policy.MENTION, name=[{"family": "Mentioned"}])
        of = {}
        for name in values:
            own = {"corrected": "corrected", "preliminary": "preliminary"}.get(status, "final")
            note = {"note": [{"text": f"at {time}"}]} if time % 2 else {}
            of[name] = made.observation(subject, self.key(name), own, f"{name} {status} {time}", **note)
        made.report(subject, self.key(report), [of[name] for name in values], status)
        return made.mapped

    def ending(self, patient, time, status, name):
        """OBX-11 D, W or X."""
        made = self.draft(time)
        subject = made.patient(self.key(patient), policy=Policy.MENTION, name=[{"family": "Mentioned"}])
        made.observation(subject, self.key(name), status, f"{name} {status}")
        return made.mapped

    def adt(self, patient, time, stated, nulls):
        made = self.draft(time)
        made.patient(self.key(patient), nulls=frozenset(nulls), **{name: STATED[name](time) for name in stated})
        return made.mapped

    def merge(self, time, survivor, loser):
        made = self.draft(time)
        kept = made.patient(self.key(survivor), gender="other" if time % 2 else "unknown")
        made.merge(kept, made.patient(self.key(loser), policy=Policy.MENTION, name=[{"family": "Mentioned"}]))
        return made.mapped

    def state(self):
        """The whole record, without ids, versions and times."""
        keys = [self.key(name) for name in NAMES]
        found = [each for kind in KINDS for each in self.bench.find(kind, *keys)]
        names = {f"{r['resourceType']}/{r['id']}": r["identifier"][0]["value"].split("-")[0] for r in found}
        text = {f"{r['resourceType']} {names[r['resourceType'] + '/' + r['id']]}": self._plain(r, names) for r in found}
        assert len(text) == len(found), "doubled"
        return text

    def _plain(self, resource, names):
        kept = {name: value for name, value in resource.items() if name not in ("id", "meta")}
        if "link" in kept:
            kept["link"] = sorted(kept["link"], key=lambda link: names[link["other"]["reference"]])
        text = canonical(kept).decode()
        for reference, name in names.items():
            text = text.replace(f'"{reference}"', f'"{name}"')
        return text.replace(f"-{self.number}", "")

    def versions(self):
        keys = [self.key(name) for name in NAMES]
        return {(k, r["id"], r["meta"]["versionId"]) for k in KINDS for r in self.bench.find(k, *keys)}


STATED = {
    "name": lambda time: [{"family": f"F{time}"}],
    "gender": lambda time: ("male", "female")[time % 2],
    "birthDate": lambda time: f"19{time:02}-01-01",
    "telecom": lambda time: [{"system": "phone", "value": str(time)}],
    "deceasedBoolean": lambda time: bool(time % 2),
    "deceasedDateTime": lambda time: f"20{time:02}-01-01",
    "active": lambda time: True,
}
times = st.integers(10, 30)
OF = {"A": ("r1", ["o1", "o2"]), "B": ("r2", ["o3"])}
patients = st.sampled_from(["A", "B"])
statuses = st.sampled_from(["preliminary", "final", "corrected"])
oru = patients.flatmap(
    lambda name: st.tuples(
        st.just("results"), st.just(name), times, statuses, st.just(OF[name][0]),
        st.lists(st.sampled_from(OF[name][1]), min_size=1, unique=True),
    )
)  # fmt: skip
ending = patients.flatmap(
    lambda name: st.tuples(
        st.just("ending"), st.just(name), times, st.sampled_from(["cancelled", "entered-in-error"]),
        st.sampled_from(OF[name][1]),
    )
)  # fmt: skip
some = st.lists(st.sampled_from(sorted(STATED)), unique=True).filter(
    lambda names: not {"deceasedBoolean", "deceasedDateTime"} <= set(names)
)
nulls = st.lists(st.sampled_from(["name", "telecom", "deceasedBoolean", "birthDate"]), unique=True, max_size=2)
adt = st.tuples(st.just("adt"), st.sampled_from(["A", "B", "C"]), times, some, nulls)
merges = st.tuples(st.just("merge"), times, st.just("A"), st.just("B"))
chain = st.one_of(merges, st.tuples(st.just("merge"), times, st.just("C"), st.just("A")))


def shuffled(messages):
    """Messages in some order, and the same in another with repetitions."""
    return st.lists(messages, min_size=1, max_size=7).flatmap(
        lambda chosen: st.tuples(
            st.just(chosen),
            st.tuples(st.permutations(chosen), st.lists(st.sampled_from(chosen), max_size=3)).map(
                lambda x: [*x[0], *x[1]]
            ),
        )
    )


def same_end(bench, draft, orders):
    worlds = []
    for order in orders:
        world = World(bench, draft)
        for message in order:
            world.apply(message)
        worlds.append(world)
    first, second = (world.state() for world in worlds)
    assert first == second
    before = worlds[1].versions()
    for message in orders[0] * 2:
        assert worlds[1].apply(message).changed == ()
    assert worlds[1].versions() == before


@FEW
@given(orders=shuffled(st.one_of(oru, ending)))
def test_results_end_alike(bench, draft, orders):
    same_end(bench, draft, orders)


@FEW
@given(orders=shuffled(st.one_of(adt, adt, chain)))
def test_demographics_with_merges_end_alike(bench, draft, orders):
    same_end(bench, draft, orders)


@FEW
@given(orders=shuffled(st.one_of(oru, ending, adt, adt, chain)))
def test_all_of_it_ends_alike(bench, draft, orders):
    same_end(bench, draft, orders)


@settings(FEW, max_examples=6)
@given(orders=shuffled(st.one_of(oru, oru, ending, adt, merges)))
def test_several_nodes_at_once_neither_double_nor_lose(bench, draft, orders):
    alone, shared = World(bench, draft), World(bench, draft)
    for message in orders[0]:
        alone.apply(message)
    start, failures = Barrier(3), []

    def node(messages):
        start.wait()
        try:
            for message in messages:
                shared.apply(message)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [Thread(target=node, args=(each,)) for each in (orders[0], orders[1], orders[0][::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    while bench.record.stamps.claim(2**60, 0, 100):
        for each in bench.record.stamps.claim(2**60, 0, 100):
            bench.follow_ups.run(each)
    assert shared.state() == alone.state()
