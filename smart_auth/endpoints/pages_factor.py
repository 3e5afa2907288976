"""The page between a log-in with one factor and everything else, where two are required: set up a code app now.

NIST SP 800-63B section 6.1.2.1 (binding a second factor); see people.second_factor for whom it is required of.
"""

from flask import Response, request

from smart_auth.endpoints.pages_account import ask_code_app
from smart_auth.endpoints.pages_authorize import carry_on, step_of, under_way
from smart_auth.endpoints.pages_desk import Desk
from smart_auth.endpoints.pages_login import home
from smart_auth.oauth.authorize import Step


def factor(desk: Desk) -> Response:
    """GET /auth/factor"""
    handle = request.args.get("request", "")
    flow = under_way(desk, handle) if handle else None
    if flow and step_of(desk, flow) is not Step.FACTOR:
        return carry_on(desk, flow)
    logged_in = desk.person("account", owing=True)
    if not desk.owes_factor(logged_in):
        return desk.go(home(desk, logged_in.person))
    return ask_code_app(desk, handle=handle)
