"""Who a message is from: by the network it came from, the certificate shown, and what MSH-3 and MSH-4 say.

HL7 v2.5.1 sections 2.15.9.3 and 2.15.9.4. Address and certificate are proof, the two fields are only a claim.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from hl7_bridge.site.model import DEFAULT, Sender, Site


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection: its address, and of its certificate the SHA-256 fingerprint (hex) and names."""

    address: str
    fingerprint: str = ""
    names: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        return ip_address(self.address).is_loopback


def recognised(site: Site, peer: Peer, application: str, facility: str, *, is_open: bool = False) -> Sender | None:
    """The sender that says most about such a message; None for a stranger. ``is_open`` takes strangers of this
    machine under the default profile."""
    known = [(score, sender) for sender in site.senders if (score := _score(sender, peer, application, facility))]
    if known:
        return max(known, key=lambda pair: pair[0])[1]
    return DEFAULT if is_open and peer.is_local else None


def welcome(site: Site, peer: Peer, *, is_open: bool = False) -> bool:
    """Whether anybody could send from there at all."""
    return (is_open and peer.is_local) or any(_proof(sender, peer) is not None for sender in site.senders)


_Score = tuple[int, int, int, int]


def _score(sender: Sender, peer: Peer, application: str, facility: str) -> _Score | None:
    """How much of what the sender is recognised by is met, proofs first; None when some of it is not."""
    proof = _proof(sender, peer)
    if proof is None or (sender.applications and application not in sender.applications):
        return None
    if sender.facilities and facility not in sender.facilities:
        return None
    return (*proof, bool(sender.applications), bool(sender.facilities))


def _proof(sender: Sender, peer: Peer) -> tuple[int, int] | None:
    if sender.certificates and not _certified(sender, peer):
        return None
    if not sender.addresses:
        return bool(sender.certificates), 0
    address = ip_address(peer.address)
    widths = [network.prefixlen for text in sender.addresses if address in (network := _network(text))]
    return (bool(sender.certificates), 1 + max(widths)) if widths else None


def _certified(sender: Sender, peer: Peer) -> bool:
    shown = {peer.fingerprint, *peer.names} - {""}
    wanted = {text.replace(":", "").lower() if _is_fingerprint(text) else text for text in sender.certificates}
    return not wanted.isdisjoint(shown)


def _is_fingerprint(text: str) -> bool:
    digits = text.replace(":", "").lower()
    return len(digits) == 64 and not digits.strip("0123456789abcdef")


@lru_cache(maxsize=1024)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)
