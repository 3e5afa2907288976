"""The command ``hearth``: serve, load, token, person, client, keys, hl7, video, migrate, check, audit verify.

Every setting is an option of every command; ``--help`` and HEARTH_<NAME> are made from the same rows.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from fhir_server import commands
from fhir_server.settings import SETTINGS, SettingError, Settings, load

Command = Callable[[Settings, argparse.Namespace], int]
Verbs = Any  # argparse's action of sub-parsers; its class is generic for type checkers only


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the answer is the exit status (0 well, 1 failed, 2 wrong usage)."""
    os.umask(0o077)  # a record is for its owner alone, whoever made the folder and with which permissions
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
    parts = ("api", "hl7", "video", "worker")
    serve.add_argument("part", nargs="?", choices=parts, help="one process kind instead of all")
    serve.add_argument("--media-port", dest="VIDEO_MEDIA_PORT", metavar="X", help="short for --video-media-port")
    serve.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
    bundles = _verb(verbs, shared, "load", commands.do_load, "load Bundles and NDJSON (.json .xml .ndjson, .gz too)")
    bundles.add_argument("paths", nargs="+", metavar="PATH", help="file or folder")
    bundles.add_argument("--quiet", action="store_true", help="no progress bar")
    anew = _verb(verbs, shared, "reindex", commands.do_reindex, "make the search index agree with the documents")
    anew.add_argument("--type", default="", metavar="TYPE", help="resources of this type alone")
    anew.add_argument("--parameter", default="", metavar="URL", help="the index of this stored SearchParameter alone")
    anew.add_argument("--anew", action="store_true", help="from the start, even if a walk was cut off")
    anew.add_argument("--slice", type=int, default=0, help=argparse.SUPPRESS)
    anew.add_argument("--quiet", action="store_true", help="no progress bar")
    _verb(verbs, shared, "migrate", commands.do_migrate, "bring the database schema up to date")
    _verb(verbs, shared, "check", commands.do_check, "check settings, database, keys and schema")
    _verb(verbs, shared, "letters", commands.do_letters, "letters to patients: what waits, what failed")
    _add_backups(verbs, shared)
    _add_authorization(verbs, shared)
    audit = verbs.add_parser("audit", help="the audit trail").add_subparsers(required=True, metavar="ACTION")
    _verb(audit, shared, "verify", commands.do_audit_verify, "verify hash chains and signed checkpoints")
    return parser


def _add_backups(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    taken = _verb(verbs, shared, "backup", commands.do_backup, "write a backup while everything serves")
    taken.add_argument("folder", metavar="FOLDER", help="where to; empty or not there")
    brought = _verb(verbs, shared, "restore", commands.do_restore, "bring a backup to an empty place")
    brought.add_argument("folder", metavar="FOLDER", help="of the backup")
    said = "take a backup, restore it beside, serve and compare the copy"
    rehearsed = _verb(verbs, shared, "rehearse-restore", commands.do_rehearse_restore, said)
    rehearsed.add_argument("--sample", type=int, default=200, metavar="N", help="versions to compare. Default: 200.")


def _add_authorization(verbs: Verbs, shared: argparse.ArgumentParser) -> None:
    token = _verb(verbs, shared, "token", commands.do_token, "print an access token on the last line")
    token.add_argument("--scope", required=True, help="such as 'user/*.cruds', 'patient/*.rs' or 'system/*.rs'")
    token.add_argument("--patient", default="", metavar="ID", help="patient in context, for patient/ scopes")
    for noun, summary, command, rows in _NOUNS:
        actions = verbs.add_parser(noun, help=summary, description=summary).add_subparsers(
            required=True, metavar="ACTION"
        )
        for action, said, options in rows:
            parser = _verb(actions, shared, action, command, said)
            parser.set_defaults(action=action)
            for name, details in options:
                parser.add_argument(name, **details)


Options = tuple[tuple[str, dict[str, Any]], ...]
_ROLE: Options = (
    ("--fhir-user", {"default": "", "metavar": "REF", "help": "who that is in the record, such as Practitioner/1"}),
    ("--patient", {"default": "", "metavar": "ID", "help": "the patient a RelatedPerson belongs to"}),
    ("--administrator", {"action": "store_true", "help": "administers people, apps and keys"}),
)
_LOGIN: Options = (("login", {"metavar": "LOGIN"}),)
_ID: Options = (("id", {"metavar": "ID"}),)
_CLEARANCE: Options = (
    (
        "clearance",
        {
            "choices": ("normal", "restricted", "very-restricted"),
            "help": "up to which label (meta.security R, V) staff and services see and change what carries one",
        },
    ),
)
_NAME: Options = (("--name", {"default": "", "metavar": "TEXT", "help": "as people read it"}),)
_CLIENT: Options = (
    ("--kind", {"choices": ("public", "symmetric", "asymmetric"), "default": "public", "help": "how it proves itself"}),
    ("--redirect-uri", {"action": "append", "default": [], "metavar": "URI", "help": "may be given several times"}),
    ("--launch-uri", {"default": "", "metavar": "URI", "help": "where an EHR starts it"}),
    ("--scopes", {"default": "", "metavar": "SCOPES", "help": "what it may ask for at most"}),
    ("--jwks", {"default": "", "metavar": "FILE", "help": "its public keys, a JWK Set"}),
    ("--jwks-uri", {"default": "", "metavar": "URI", "help": "where its public keys are"}),
    ("--backend", {"action": "store_true", "help": "gets tokens by itself, with system/ scopes"}),
    ("--trusted", {"action": "store_true", "help": "our own: people are not asked for consent"}),
    ("--ehr", {"action": "store_true", "help": "starts other apps with a patient in hand"}),
    ("--introspects", {"action": "store_true", "help": "may ask whether any token is good"}),
)
_FILTERS: Options = tuple(
    (f"--{name.replace('_', '-')}", {"dest": name, "default": "", "metavar": "X", "help": said})
    for name, said in (
        ("direction", "in or out"),
        ("sender", "peer, as the site kit names it"),
        ("type", "MSH-9.1, such as ORU"),
        ("event", "MSH-9.2, such as R01"),
        ("state", "received, applied, held, rejected or dead"),
        ("patient", "number of the patient, PID-3.1"),
        ("order", "placer's or filler's order number"),
        ("control_id", "MSH-10"),
    )
)
_MANY: Options = (
    ("ids", {"nargs": "*", "type": int, "metavar": "ID", "help": "none: those that the filters find"}),
    ("--count", {"type": int, "default": 50, "metavar": "N", "help": "at most so many"}),
    *_FILTERS,
)
_SAMPLES: Options = (
    ("samples", {"nargs": "+", "metavar": "PATH", "help": "file or folder"}),
    ("--name", {"required": True, "metavar": "SENDER", "help": "the sender's name in the site kit"}),
)
_SEND: Options = (
    ("files", {"nargs": "+", "metavar": "PATH", "help": "file or folder"}),
    ("--to", {"required": True, "metavar": "PEER", "help": "HOST:PORT, or a receiver of the site kit"}),
)
_CODE: Options = (
    ("sender", {"metavar": "SENDER"}),
    ("table", {"metavar": "TABLE", "help": "as the worklist names it"}),
    ("code", {"metavar": "CODE", "help": "the sender's"}),
    ("--system", {"required": True, "metavar": "URI", "help": "code system of the answer"}),
    ("--target", {"required": True, "metavar": "CODE", "help": "the code it means"}),
    ("--display", {"default": "", "metavar": "TEXT", "help": "as people read it"}),
)
_NOUNS: tuple[tuple[str, str, Command, tuple[tuple[str, str, Options], ...]], ...] = (
    (
        "person",
        "people who log in",
        commands.do_person,
        (
            ("add", "make an account and print its one-time link", (*_LOGIN, *_NAME, *_ROLE)),
            ("list", "list accounts", ()),
            ("disable", "shut a person out and end every access", _LOGIN),
            ("enable", "let a person in again", _LOGIN),
            (
                "reset",
                "print a link to choose a new password",
                (*_LOGIN, ("--code-app", {"action": "store_true", "help": "take the second factor off too"})),
            ),
            ("role", "change who a person is; ends every access", (*_LOGIN, *_ROLE)),
            ("clearance", "what labelled data they may see; less ends every token", (*_LOGIN, *_CLEARANCE)),
        ),
    ),
    (
        "client",
        "apps and backend services",
        commands.do_client,
        (
            ("add", "register one; a shared secret is printed once", (*_ID, *_NAME, *_CLIENT)),
            ("list", "list them", ()),
            ("disable", "shut one out and end its access", _ID),
            ("remove", "delete one and end its access", _ID),
            ("clearance", "what labelled data it may see; less ends every token", (*_ID, *_CLEARANCE)),
        ),
    ),
    (
        "keys",
        "keys that sign tokens",
        commands.do_keys,
        (("list", "list them", ()), ("rotate", "sign with the next key from now on", ())),
    ),
    (
        "hl7",
        "the HL7 v2 bridge",
        commands.do_hl7,
        (
            ("check", "check the site kit", ()),
            ("profile", "learn a sender from samples: its file, its profile, its drift", _SAMPLES),
            ("send", "send messages and show the answers", _SEND),
            (
                "tail",
                "list the newest messages",
                (*_MANY[1:], ("--follow", {"action": "store_true", "help": "and those that come"})),
            ),
            ("show", "one message, the fate of its fields, what it made", (("id", {"metavar": "ID"}),)),
            (
                "replay",
                "read messages again",
                (*_MANY, ("--with", {"dest": "with_file", "default": "", "metavar": "FILE", "help": "edited text"})),
            ),
            (
                "diff",
                "what another site kit would make of stored messages",
                (*_MANY, ("--site", {"required": True, "metavar": "FOLDER", "help": "the other site kit"})),
            ),
            (
                "worklist",
                "codes nobody has mapped",
                (
                    ("--sender", {"default": "", "metavar": "SENDER", "help": "of this one alone"}),
                    ("--answered", {"action": "store_true", "help": "those that have an answer"}),
                ),
            ),
            ("answer", "say what a code means; its messages are read again", _CODE),
            ("strangers", "who was turned away at the door, being no sender", ()),
        ),
    ),
    (
        "video",
        "video visits",
        commands.do_video,
        (
            (
                "turn-config",
                "print a coturn configuration for VIDEO_ICE_SERVERS",
                (
                    ("--cert", {"default": "", "metavar": "FILE", "help": "certificate of turns: addresses"}),
                    ("--key", {"default": "", "metavar": "FILE", "help": "its private key"}),
                ),
            ),
            ("waiting", "facts of visits that the record does not have yet", ()),
            (
                "again",
                "try those that wait for a person once more",
                (("--room", {"default": "", "metavar": "ROOM", "help": "of this one alone"}),),
            ),
        ),
    ),
)


def _verb(
    verbs: Verbs,
    shared: argparse.ArgumentParser,
    name: str,
    command: Command,
    summary: str,
) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=summary, parents=[shared])
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
