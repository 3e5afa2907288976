"""HL7 v2 messages as text with delimiters (ER7): read without loss, written without injection."""

from hl7_bridge.er7.message import NULL, Message, Segment, Value
from hl7_bridge.er7.tokenizer import parse

__all__ = ["NULL", "Message", "Segment", "Value", "parse"]
