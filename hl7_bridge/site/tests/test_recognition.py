import pytest

from hl7_bridge.site.model import DEFAULT, Sender, Site
from hl7_bridge.site.recognition import Peer, recognised, welcome

PRINT = "ab" * 32
SITE = Site(
    senders=(
        Sender("anywhere", applications=("LAB",)),
        Sender("lab", applications=("LAB",), addresses=("10.1.0.0/16",)),
        Sender("near", applications=("LAB",), addresses=("10.1.2.0/24",)),
        Sender("ward", applications=("ADT",), facilities=("W1",), addresses=("10.0.0.0/8",)),
        Sender("sealed", certificates=(":".join(["AB"] * 32), "lab.example.org")),
    )
)


@pytest.mark.parametrize(
    ("peer", "application", "facility", "name"),
    [
        (Peer("192.0.2.1"), "LAB", "", "anywhere"),
        (Peer("10.1.9.9"), "LAB", "", "lab"),
        (Peer("10.1.2.9"), "LAB", "", "near"),
        (Peer("10.1.2.9"), "ADT", "W1", "ward"),
        (Peer("10.1.2.9"), "ADT", "W2", None),
        (Peer("192.0.2.1"), "ADT", "W1", None),
        (Peer("10.1.2.9", PRINT), "LAB", "", "sealed"),
        (Peer("192.0.2.1", "0", ("lab.example.org",)), "X", "", "sealed"),
        (Peer("192.0.2.1", "0", ("other.example.org",)), "X", "", None),
        (Peer("2001:db8::1"), "LAB", "", "anywhere"),
    ],
)
def test_the_strongest_proof_decides(peer, application, facility, name):
    found = recognised(SITE, peer, application, facility)
    assert (found and found.name) == name


def test_strangers_of_this_machine_when_it_is_open():
    assert recognised(SITE, Peer("127.0.0.1"), "X", "") is None
    assert recognised(SITE, Peer("127.0.0.1"), "X", "", is_open=True) is DEFAULT
    assert recognised(SITE, Peer("::1"), "X", "", is_open=True) is DEFAULT
    assert recognised(SITE, Peer("10.1.2.9"), "X", "", is_open=True) is None
    assert recognised(SITE, Peer("127.0.0.1"), "LAB", "", is_open=True).name == "anywhere"


def test_who_could_send_at_all():
    site = Site(senders=SITE.senders[1:])
    assert welcome(site, Peer("10.1.2.3"))
    assert welcome(site, Peer("192.0.2.1", PRINT))
    assert not welcome(site, Peer("192.0.2.1"))
    assert not welcome(Site(), Peer("127.0.0.1"))
    assert welcome(Site(), Peer("127.0.0.1"), is_open=True)
