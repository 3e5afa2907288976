"""The same end for real text, from bytes to the record: results with corrections and deletions, visits, merges."""

import re
from itertools import count

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hl7_bridge.er7 import parse
from hl7_bridge.mapping.messages import map_message
from hl7_bridge.record import Source
from hl7_bridge.record.elements import canonical
from hl7_bridge.site.model import Sender
from resources.repository import SearchRequest

WORLDS = count(1)
SENDER = Sender("lab")
LOG = {"Provenance", "MessageHeader"}
FEW = settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def segment(name, **fields):
    """``OBX``, f1="1", f3="GLU"."""
    places = {int(place[1:]): value for place, value in fields.items()}
    return "|".join([name, *(places.get(n, "") for n in range(1, max(places) + 1))]) + "\r"


def head(kind, patient, time):
    msh = f"MSH|^~\\&|LAB|A|||{time}||{kind}|{{control}}|P|2.5.1\r"
    return msh + segment("PID", f1="1", f3=f"{patient}{{world}}^^^A^MR", f5="Mentioned^M")


def order(number, what, time, taken, **more):
    placer, filler = f"P{number}{{world}}^A", f"F{number}{{world}}^A"
    obr = segment("OBR", f1="1", f2=placer, f3=filler, f4=f"{what}^{what}^L", f7=taken, f22=time, **more)
    return segment("ORC", f1="RE", f2=placer, f3=filler) + obr


def oru(patient, minute, status, results, number="1"):
    """``results`` are (OBX-3, OBX-5, OBX-11)."""
    time, taken = f"2026010112{minute:02}00+0000", f"2026010111{number}000+0000"
    text = head("ORU^R01^ORU_R01", patient, time) + order(number, "CBC", time, taken, f24="HM", f25=status)
    for n, (code, value, state) in enumerate(results, 1):
        text += segment("OBX", f1=str(n), f2="NM", f3=f"{code}^{code}^L", f5=value, f6="g/dL", f11=state, f14=taken)
        text += segment("NTE", f1="1", f3=f"{value} at {minute}")
    return text


def child(patient, minute):
    """A result that belongs to one of order 1."""
    time, taken = f"2026010112{minute:02}00+0000", "20260101111000+0000"
    parent = {"f26": "ORG&Organism&L^1", "f29": "P1{world}&A^F1{world}&A"}
    text = head("ORU^R01^ORU_R01", patient, time) + order("9", "SUS", time, taken, f24="MB", f25="F", **parent)
    return text + segment("OBX", f1="1", f2="ST", f3="PEN^Penicillin^L", f5="S", f11="F", f14=taken)


def culture(patient, minute):
    return oru(patient, minute, "F", []) + "OBX|1|CWE|ORG^Organism^L|1|ECO^E. coli^L||||||F|||20260101111000+0000\r"


def adt(event, patient, minute, pid, visit=""):
    time = f"2026010112{minute:02}00+0000"
    pv1 = f"PV1|1|I|W^{visit}|||||||||||||||||V1{{world}}^^^A\r" if visit else ""
    return (
        f"MSH|^~\\&|ADT|A|||{time}||ADT^{event}|{{control}}|P|2.5.1\rEVN|{event}|{time}\r"
        f"PID|1||{patient}{{world}}^^^A^MR||{pid}\r{pv1}"
    )


def merge(survivor, loser, minute):
    time = f"2026010112{minute:02}00+0000"
    return (
        f"MSH|^~\\&|ADT|A|||{time}||ADT^A40^ADT_A39|{{control}}|P|2.5.1\rEVN|A40|{time}\r"
        f"PID|1||{survivor}{{world}}^^^A^MR||Okafor^Ada\rMRG|{loser}{{world}}^^^A^MR\r"
    )


RESULTS = [
    oru("1", 1, "P", [("HGB", "10.0", "P")]),
    oru("1", 2, "P", [("HGB", "10.1", "F"), ("WBC", "5", "P")]),
    oru("1", 3, "F", [("HGB", "10.1", "F"), ("WBC", "5.2", "F")]),
    oru("1", 4, "C", [("HGB", "11.10", "C")]),
    oru("1", 5, "C", [("WBC", "5.2", "W")]),
    oru("1", 3, "F", [("GLU", "7", "F")], number="2"),
    oru("1", 6, "F", [("GLU", "7", "D")], number="2"),
    oru("1", 7, "X", [("PLT", "", "X")], number="3"),
]
MERGED = [
    oru("2", 1, "P", [("NA", "140", "P")], number="4"),
    oru("2", 2, "F", [("NA", "141", "F")], number="4"),
    merge("1", "2", 30),
    adt("A08", "2", 10, "Okafor^A.||19800101|F"),
    adt("A08", "2", 40, "Okafor^Ada||19800101|F|||New Street 1^^Town"),
]
VISITS = [
    adt("A01", "1", 5, "Okafor^Ada||19800101|F|||Old Street 1^^Town", "101"),
    adt("A08", "1", 10, 'Okafor^Ada||""|F', "102"),
    adt("A31", "1", 15, "Okafor^Ada^B||19800102"),
    adt("A08", "1", 20, 'Okafor^Ada^B||||||""'),
    adt("A03", "1", 25, "Okafor^Ada^B", "103"),
]


class World:
    """Identities of its own within one record."""

    def __init__(self, bench):
        self.bench, self.name = bench, f"w{next(WORLDS)}w"
        self.keys: set = set()
        self.control = count(1)

    def apply(self, text):
        text = text.replace("{world}", self.name).replace("{control}", str(next(self.control)))
        message = parse(text.encode(), "")
        mapped = map_message(message, SENDER)
        self.keys |= {(e.resource["resourceType"], key) for e in mapped.entries for key in e.keys}
        applied = self.bench.record.apply(self.bench.repository, mapped, Source("lab", message.control_id, 0))
        for each in applied.follow_ups:
            self.bench.follow_ups.run(each)
        return [each for each in applied.changed if each.name.type not in LOG]

    def found(self):
        for type in sorted({type for type, _ in self.keys}):
            yield from self.bench.find(type, *(key for kind, key in self.keys if kind == type))

    def state(self):
        found = list(self.found())
        names = {f"{r['resourceType']}/{r['id']}": _name(r) for r in found}
        assert len(set(names.values())) == len(found), "doubled"
        return {_name(r).replace(self.name, ""): self._plain(r, names) for r in found}

    def _plain(self, resource, names):
        kept = {name: value for name, value in resource.items() if name not in ("id", "meta")}
        text = canonical(kept).decode()
        for reference, name in names.items():
            text = text.replace(f'"{reference}"', f'"{name}"')
        return text.replace(self.name, "")


def _name(resource):
    return f"{resource['resourceType']} {resource['identifier'][0]}"


def some(messages):
    return st.lists(st.sampled_from(messages), min_size=2, max_size=8).flatmap(
        lambda chosen: st.tuples(st.just(chosen), st.permutations(chosen + chosen[:2]))
    )


def same_end(bench, orders):
    worlds = [World(bench), World(bench)]
    for world, order in zip(worlds, orders, strict=True):
        for text in order:
            world.apply(text)
    first, second = (world.state() for world in worlds)
    assert first == second
    for text in orders[0]:
        assert worlds[0].apply(text) == []


@FEW
@given(orders=some(RESULTS))
def test_results_end_alike(bench, orders):
    same_end(bench, orders)


@FEW
@given(orders=some(VISITS + MERGED[2:]))
def test_demographics_and_visits_end_alike(bench, orders):
    same_end(bench, orders)


@FEW
@given(orders=some(RESULTS[:4] + VISITS + MERGED))
def test_all_of_it_ends_alike(bench, orders):
    same_end(bench, orders)


def test_all_forward_and_backward_end_alike_and_as_they_should(bench):
    everything = RESULTS + VISITS + MERGED
    same_end(bench, (everything, everything[::-1]))
    world = World(bench)
    for text in everything:
        world.apply(text)
    state = world.state()
    [hemoglobin] = [text for name, text in state.items() if "HGB" in name]
    assert '"status":"corrected"' in hemoglobin and '"value":11.10' in hemoglobin
    [leukocytes] = [text for name, text in state.items() if "WBC" in name]
    assert '"status":"entered-in-error"' in leukocytes
    patients = {
        re.search(r"'value': '(\d)", name)[1]: text for name, text in state.items() if name.startswith("Patient")
    }
    assert '"active":false' in patients["2"] and '"replaced-by"' in patients["2"]
    assert "New Street" in patients["1"] and '"birthDate":"1980-01-01"' in patients["1"]  # said of the loser since


def test_a_child_is_linked_whichever_comes_first(bench):
    same_end(
        bench, ([culture("1", 1), child("1", 2)], [child("1", 2), culture("1", 1), child("1", 2), culture("1", 1)])
    )
    world = World(bench)
    for text in (child("1", 2), culture("1", 1)):
        world.apply(text)
    [penicillin] = [text for name, text in world.state().items() if "PEN" in name]
    assert '"derivedFrom":[{' in penicillin and "Observation {" in penicillin


def test_five_resends_make_no_version(bench):
    world = World(bench)
    for text in RESULTS + VISITS + MERGED:
        world.apply(text)
    before = {(r["resourceType"], r["id"], r["meta"]["versionId"]) for r in world.found()}
    for _ in range(5):
        for text in RESULTS + VISITS + MERGED:
            assert world.apply(text) == []
    assert {(r["resourceType"], r["id"], r["meta"]["versionId"]) for r in world.found()} == before


def test_a_report_of_twenty_results_costs_few_searches_and_one_commit(bench, monkeypatch):
    asked, commits = [], []
    search, commit = type(bench.repository).search, type(bench.repository).commit
    monkeypatch.setattr(
        type(bench.repository), "search", lambda self, request: asked.append(request) or search(self, request)
    )
    monkeypatch.setattr(
        type(bench.repository), "commit", lambda self, *a, **k: commits.append(a) or commit(self, *a, **k)
    )
    world = World(bench)
    text = oru("1", 1, "F", [(f"T{n}", str(n), "F") for n in range(20)])
    made = world.apply(text)
    assert sum(each.name.type == "Observation" for each in made) == 20
    assert len(commits) == 1 and len(asked) <= 8 and all(isinstance(each, SearchRequest) for each in asked)
    world.apply(text)
    assert len(asked) <= 16
