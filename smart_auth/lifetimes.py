"""How long things live, in seconds.

SMART App Launch 2.2 (access tokens: at most an hour, of backend services five minutes), RFC 6749 section 4.1.2.
"""

import msgspec


class Lifetimes(msgspec.Struct, frozen=True, kw_only=True):
    """``online_token`` is the access token of a family with online_access: its refresh shows that the person is there,
    so it comes well within the idle limit of the log-in (people.sessions.IDLE). ``refresh`` slides with every use;
    ``request`` is how long a person may take over an authorization request; ``reuse_grace`` how long after its use a
    refresh token that comes again is a second browser tab and not a thief."""

    code: int = 60
    user_token: int = 3600
    online_token: int = 600
    backend_token: int = 300
    break_glass: int = 3600
    refresh: int = 90 * 86400
    launch: int = 300
    request: int = 900
    reuse_grace: int = 20
