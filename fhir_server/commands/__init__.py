"""The commands of ``hearth``, one module each; imported when called, so that a short command starts at once."""

from argparse import Namespace

from fhir_server.settings import Settings, export


class CommandError(Exception):
    """A command cannot do what was asked; the text says why and what to do."""


def do_serve(settings: Settings, arguments: Namespace) -> int:
    export(settings)  # before the metrics library is imported, which reads the environment then
    from fhir_server.commands.serve import run

    return run(settings, arguments.part, supervised=arguments.supervised)


def do_load(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.load import run

    return run(settings, arguments.paths, quiet=arguments.quiet)


def do_reindex(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.reindex import run, run_parameter

    how = {"anew": arguments.anew, "size": arguments.slice, "quiet": arguments.quiet}
    if arguments.parameter:
        return run_parameter(settings, arguments.parameter, **how)
    return run(settings, arguments.type, **how)


def do_migrate(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.admin import migrate as run

    return run(settings)


def do_check(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.admin import check as run

    return run(settings)


def do_letters(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.letters import run

    return run(settings)


def do_audit_verify(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.admin import audit_verify as run

    return run(settings)


def do_backup(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.backup import backup as run

    return run(settings, arguments.folder)


def do_restore(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.backup import restore as run

    return run(settings, arguments.folder)


def do_rehearse_restore(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.backup import rehearse as run

    return run(settings, arguments.sample)


def do_token(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.token import run

    return run(settings, arguments.scope, arguments.patient)


def do_person(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.person import run

    return run(settings, arguments.action, arguments)


def do_client(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.client import run

    return run(settings, arguments.action, arguments)


def do_keys(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.signing_keys import run

    return run(settings, arguments.action, arguments)


def do_hl7(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.hl7 import run

    return run(settings, arguments.action, arguments)


def do_video(settings: Settings, arguments: Namespace) -> int:
    from fhir_server.commands.video import run

    return run(settings, arguments.action, arguments)
