"""The one kind of failure that a person at the tools can mend."""


class ToolError(Exception):
    """Input, a folder or a device is not as it must be; the message says what to do next."""

    status = 1  # exit status of the command
