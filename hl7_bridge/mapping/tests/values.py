"""Values for the tests of data types."""

from hl7_bridge.er7 import Value
from hl7_bridge.er7.tokenizer import tokens
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.site.model import Sender

SENDER = Sender("lab", authority="urn:oid:1.2.3")
HEAD = "MSH|^~\\&|A|B|C|D|20230501||ORU^R01|1|P|2.5.1\r"


def value(text: str) -> Value:
    """``text`` as the first repetition of a field."""
    return tokens(f"{HEAD}ZZZ|{text}").segments[1].first(1)


def draft(sender: Sender = SENDER) -> Draft:
    """An empty draft of a message of ``sender``."""
    return Draft(sender, tokens(HEAD))
