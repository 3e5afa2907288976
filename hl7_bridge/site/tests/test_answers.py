"""Answers to unmapped codes."""

from dataclasses import dataclass

from hl7_bridge.site.answers import Senders, concept_map
from hl7_bridge.site.model import Coding, Sender, Site
from resources.validation import check


@dataclass
class Row:
    sender: str
    source: str
    code: str
    answer: str
    text: str = ""


HB = Row("lab", "0074", "HB", '{"system":"http://x","code":"HM","display":"Hematology"}', "Hb")
NA = Row("lab", "0074", "NA", '{"system":"http://y","code":"CH"}')


def test_answers_join_the_senders_codes_and_files_come_first() -> None:
    rows: list[Row] = []
    own = Coding("http://x", "OWN")
    senders = Senders(Site(senders=(Sender("lab", codes={"0074": {"HB": own}}), Sender("other"))), lambda: rows)
    assert senders("nobody") is None
    rows += [HB, NA]
    senders.refresh()
    lab, other = senders("lab"), senders("other")
    assert lab and lab.codes == {"0074": {"HB": own, "NA": Coding("http://y", "CH")}}
    assert other and other.codes == {}


def test_an_answer_taken_back_is_gone() -> None:
    rows = [NA]
    senders = Senders(Site(senders=(Sender("lab"),)), lambda: rows)
    senders.refresh()
    rows.clear()
    senders.refresh()
    assert senders("lab") == Sender("lab")


def test_the_concept_map_holds_all_answers_by_target_system() -> None:
    made = concept_map("lab", "0074", [NA, HB])
    check(made)
    assert made["url"] == "https://hearth.health/v2/lab/0074"
    assert [(group["target"], group["element"][0]["code"]) for group in made["group"]] == [
        ("http://x", "HB"),
        ("http://y", "NA"),
    ]
