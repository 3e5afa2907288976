"""The command ``hearth``: serve, load, migrate, check, audit verify.

Every setting is an option of every command; ``--help`` and HEARTH_<NAME> are made from the same rows.
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from fhir_server import commands
from fhir_server.settings import SETTINGS, SettingError, Settings, load

Command = Callable[[Settings, argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the answer is the exit status (0 well, 1 failed, 2 wrong usage)."""
    arguments = _parser().parse_args(argv)
    given = {row.name: getattr(arguments, row.name) for row in SETTINGS}
    try:
        settings = load(given)
        return int(arguments.command(settings, arguments))
    except (SettingError, commands.CommandError) as error:
        print(f"hearth: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    for row in SETTINGS:
        _add_option(shared, row.name, row.documentation, row.default)
    parser = argparse.ArgumentParser(prog="hearth", description="FHIR R4 server with telehealth built in.")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = _verb(verbs, shared, "serve", commands.do_serve, "serve everything, or one part")
    serve.add_argument("part", nargs="?", choices=("api", "worker"), help="one process kind instead of all")
    bundles = _verb(verbs, shared, "load", commands.do_load, "load Bundles and NDJSON (.json .xml .ndjson, .gz too)")
    bundles.add_argument("paths", nargs="+", metavar="PATH", help="file or folder")
    bundles.add_argument("--quiet", action="store_true", help="no progress bar")
    _verb(verbs, shared, "migrate", commands.do_migrate, "bring the database schema up to date")
    _verb(verbs, shared, "check", commands.do_check, "check settings, database, keys and schema")
    audit = verbs.add_parser("audit", help="the audit trail").add_subparsers(required=True, metavar="ACTION")
    _verb(audit, shared, "verify", commands.do_audit_verify, "verify hash chains and signed checkpoints")
    return parser


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    shared: argparse.ArgumentParser,
    name: str,
    command: Command,
    summary: str,
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=summary, description=summary, parents=[shared])
    verb.set_defaults(command=command)
    return verb


def _add_option(parser: argparse.ArgumentParser, name: str, documentation: str, default: object) -> None:
    option = "--" + name.lower().replace("_", "-")
    if isinstance(default, bool):
        parser.add_argument(option, dest=name, action="store_const", const=True, help=documentation)
    else:
        parser.add_argument(
            option, dest=name, metavar="X", help=f"{documentation} Default: {default or 'none'}.".replace("%", "%%")
        )


if __name__ == "__main__":
    sys.exit(main())
