"""Asks a rule of a node, for the tests of the rule tables."""

from typing import Any

from resources.validation.rules import RULES
from resources.validation.scope import Scope


def holds(key: str, node: Any, resource: dict[str, Any] | None = None) -> bool:
    """Whether the rule ``key`` holds of ``node`` in ``resource`` (itself when not given)."""
    return RULES[key].holds(node, Scope(node if resource is None else resource))
