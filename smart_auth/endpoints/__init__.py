"""The rim: what Flask serves of the authorization server, protocol endpoints and pages."""

from flask import Blueprint, request

from smart_auth.endpoints import pages, protocol
from smart_auth.service import ADDRESS, AuthService


def blueprint(service: AuthService) -> Blueprint:
    """Everything below the issuer that the authorization server answers."""
    made = Blueprint("smart_auth", __name__)
    made.before_request(_remember_address)
    protocol.register(made, service)
    pages.register(made, service)
    return made


def _remember_address() -> None:
    ADDRESS.set(request.remote_addr or "")
