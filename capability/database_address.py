"""The address of a PostgreSQL as every part of the server gives it to the driver: of one host or of several.

PostgreSQL 15, libpq 34.1.1.3 (several hosts) and 34.1.2 (parameters): what the address itself says goes first.
"""

from urllib.parse import parse_qs, urlsplit

# A network that swallows everything must not hold who asks for longer than it is away: left to the system, an answer is
# awaited for a quarter of an hour.
_LIVENESS = {
    "connect_timeout": "10",  # seconds of each host, and so are those of keepalives
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": "15000",  # milliseconds
}


def conninfo(url: str) -> str:
    """``url`` (postgresql://, or as SQLAlchemy writes it) with how soon a host that is gone is given up; of several
    hosts, such as ``h1:5432,h2:5432``, the one that takes writes."""
    parts = urlsplit(url)
    said = parse_qs(parts.query)
    wanted = _LIVENESS | ({"target_session_attrs": "read-write"} if "," in parts.netloc else {})
    added = [f"{name}={value}" for name, value in wanted.items() if name not in said]
    query = "&".join([*([parts.query] if parts.query else []), *added])
    # Put together by hand: without a host, urlunsplit of some Pythons leaves out the slashes that libpq looks for.
    return f"postgresql://{parts.netloc}{parts.path}?{query}"
