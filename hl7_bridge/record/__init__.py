"""What a mapped message does to the record: matching, policies, merges, one commit, follow-ups."""

from hl7_bridge.record.apply import Applied, Record
from hl7_bridge.record.commit import Changed
from hl7_bridge.record.follow_ups import FollowUps
from hl7_bridge.record.provenance import Source
from hl7_bridge.record.together import Statement, apply_together

__all__ = ["Applied", "Changed", "FollowUps", "Record", "Source", "Statement", "apply_together"]
