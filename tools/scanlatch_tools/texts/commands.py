"""Says the help of commands, arguments and options in the reader's language; in the code it stays plain English."""

from typing import Any

from scanlatch_tools.texts import _


def translated(command: Any) -> Any:
    """`command`, built by typer, with every help text below it replaced by the reader's words."""
    for field in ("help", "short_help", "epilog"):
        if said := getattr(command, field, None):
            setattr(command, field, _(said))
    its_help = command.get_help_option(command.context_class(command))  # typer makes it when it is asked for
    for parameter in [*command.params, its_help]:
        if said := getattr(parameter, "help", None):
            parameter.help = _(said)
    for below in getattr(command, "commands", {}).values():
        translated(below)
    return command
