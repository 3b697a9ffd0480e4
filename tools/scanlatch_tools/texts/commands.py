"""Says help and usage of commands in the reader's language; in the code they stay plain English."""

from typing import Any

from scanlatch_tools.texts import N_, _

_WORDS = (N_("Usage: "), N_("[OPTIONS]"), N_("COMMAND [ARGS]..."))  # of the line that typer makes itself


def translated(command: Any) -> Any:
    """`command`, built by typer, with every help text below it replaced by the reader's words."""
    for field in ("help", "short_help", "epilog"):
        if said := getattr(command, field, None):
            setattr(command, field, _(said))
    its_help = command.get_help_option(command.context_class(command))  # typer makes it when it is asked for
    for parameter in [*command.params, its_help]:
        if said := getattr(parameter, "help", None):
            parameter.help = _(said)
    usage = command.get_usage

    def in_words(context: Any) -> str:
        line = str(usage(context))
        for word in _WORDS:
            line = line.replace(word, _(word), 1)
        return line

    command.get_usage = in_words
    for below in getattr(command, "commands", {}).values():
        translated(below)
    return command
