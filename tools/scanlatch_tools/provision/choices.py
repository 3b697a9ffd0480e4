"""What a board becomes: which id, which board file, which Wi-Fi; asked for where nobody has said."""

from collections.abc import Callable, Sequence

from scanlatch_tools import boards
from scanlatch_tools.boards import Board, compiled
from scanlatch_tools.boards.chips import FAMILIES
from scanlatch_tools.errors import ToolError
from scanlatch_tools.provision.errors import NotForThisError
from scanlatch_tools.provision.facts import Facts
from scanlatch_tools.site_plan import check_name
from scanlatch_tools.texts import _

_SSID_BYTES = 32  # IEEE 802.11
_PASSWORD_BYTES = 63  # WPA's; more can't be stored

Ask = Callable[[str, Sequence[str]], str | None]
Secret = Callable[[str], str | None]


def device(told: Facts, wanted: str | None) -> str:
    """The board's id: the one that is wanted, the one that it has, or one made of its chip's number.

    Raises:
        NotForThisError: it has another.
        ToolError: it has none, and tells no number; or the wanted one can't be used.
    """
    name = wanted or told.own_name
    if not name:
        raise ToolError(_("the board tells no number to make an id of: give it one with --name"))
    if told.device and told.device != name:
        raise NotForThisError(
            _("this board is {device!r}, and an id is for life: leave --name away, or retire it").format(
                device=told.device
            )
        )
    return check_name(name, _("device id"))


def board(wanted: str | None, told: Facts, ask: Ask) -> Board:
    """The board file that is wanted, the one for which it was provisioned, the only one that fits, or the one chosen.

    Raises:
        NotForThisError: the wanted one has another chip.
        ToolError: several fit and nobody chose.
    """
    if wanted:
        found = boards.load(wanted)
        _must_fit(found, told)
        return found
    if told.board:
        return boards.load(told.board)
    fitting = {name: made for name in boards.names() if _fits(made := boards.load(name), told)}
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    known = fitting or {name: boards.load(name) for name in boards.names()}
    listed = "\n".join(f"  {name}  {made.board.title}" for name, made in known.items())
    answer = ask(_("boards with this chip:\n{listed}\nwhich").format(listed=listed), list(known))
    if answer is None:
        raise ToolError(
            _("say which board it is with --board: its own name, or a file\n{listed}").format(listed=listed)
        )
    return known[answer]


def _fits(made: Board, told: Facts) -> bool:
    """Whether it has the chip that answers, and lays its journal where `scanlatch flash` has laid it."""
    flash = made.flash
    return FAMILIES.get(made.board.chip) == told.family and (flash.scanlog_at, flash.scanlog_kb << 10) == told.journal


def _must_fit(made: Board, told: Facts) -> None:
    family = FAMILIES.get(made.board.chip)
    if told.family and family and family != told.family:
        raise NotForThisError(
            _("{board} has an {wanted}, this is an {found} ({machine}): name its own board with --board").format(
                board=made.board.name, wanted=family, found=told.family, machine=told.machine
            )
        )


def wifi(
    made: Board, ssid: str | None, password: str | None, told: Facts, secret: Secret
) -> tuple[str, str | None] | None:
    """Name and password of the network; None for a wired board; password None: the board has it already.

    Raises:
        ToolError: one is missing and nobody can be asked, or too long.
    """
    if compiled(made)["network"]["kind"] != "wifi":
        return None
    name = ssid or told.wifi
    if not name:
        raise ToolError(_("this board joins a Wi-Fi: name it with --wifi; its password is asked for"))
    if password is None and not (told.password and name == told.wifi):
        password = secret(_("password of the Wi-Fi {name!r}").format(name=name))
        if password is None:
            raise ToolError(
                _("the Wi-Fi's password is missing: --wifi-password-file FILE (an empty one: an open network)")
            )
    if len(name.encode()) > _SSID_BYTES or (password and len(password.encode()) > _PASSWORD_BYTES):
        raise ToolError(
            _("a Wi-Fi's name has at most {ssid} bytes, its password {password}").format(
                ssid=_SSID_BYTES, password=_PASSWORD_BYTES
            )
        )
    return name, password
