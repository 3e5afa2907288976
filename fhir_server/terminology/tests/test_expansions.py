"""Expansions kept as rows: when they are used again, when they are made anew, when they are not kept."""

import pytest

from fhir_server.store import Store
from fhir_server.terminology import expansions
from fhir_server.terminology.expansions import expansion
from fhir_server.terminology.stored import Asked
from resources.errors import BadSearch
from resources.repository import Version

URL = "http://example.org/vs"


class Shelf:
    """One value set that changes, and how often it was looked at."""

    def __init__(self, codes: str) -> None:
        self.codes, self.version, self.looked = codes, 1, 0

    def find(self, asked: Asked):
        self.looked += 1
        if asked != Asked("ValueSet", "url", URL):
            return []
        concepts = ",".join(f'{{"code":"{code}"}}' for code in self.codes)
        compose = f'{{"include":[{{"system":"urn:s","concept":[{concepts}]}}]}}'
        doc = f'{{"resourceType":"ValueSet","url":"{URL}","compose":{compose}}}'
        return [Version("ValueSet", "1", self.version, 0, doc.encode())]

    def versions(self, asked):
        return [("ValueSet", "1", self.version)]

    def ask(self, store: Store, of: str = URL):
        return expansion(store.session(), 0, "in", of, self.find, self.versions)


def test_used_again_until_a_version_changes(store: Store) -> None:
    shelf = Shelf("ab")
    first = shelf.ask(store)
    looked = shelf.looked
    assert (first.size, first.codes) == (2, None) and shelf.ask(store) == first and shelf.looked == looked
    shelf.codes, shelf.version = "abc", 2
    assert shelf.ask(store).size == 3 and shelf.looked > looked


def test_not_kept_in_a_transaction_or_where_it_cannot_be(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf("Ab")
    with store.session().transaction():
        assert shelf.ask(store).codes == {("urn:s", "a"), ("urn:s", "b")}
    monkeypatch.setattr(expansions, "LONGEST", 3)
    assert shelf.ask(store).codes is not None
    assert store.session().query("SELECT * FROM expansion") == []


def test_what_is_unknown_is_refused(store: Store) -> None:
    with pytest.raises(BadSearch, match="not known here"):
        Shelf("a").ask(store, "http://example.org/other")
