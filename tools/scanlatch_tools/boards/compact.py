"""The form in which a terminal gets its board: what its parts take as arguments, no more."""

from typing import Any

from scanlatch_tools.boards.chips import CHIPS
from scanlatch_tools.boards.schema import ENGINES, Board, EngineBuzzer, Lan, NoLight

_FOR_PEOPLE = {"onboard", "place"}


def compiled(board: Board) -> dict[str, Any]:
    """What `firmware/scanlatch/system/wiring.py` reads, as JSON can carry it.

    Every key is always there unless said: `name`; `mhz`; `engine`: kind, baud, id of the serial port, trigger where
    there is one; `uart`: the port's other arguments; `light`, where there is one; `buzzer`, where there is one;
    `button`, where there is one: pin, active_low, and `pull` where the pin has resistors (True: up); `network`: kind,
    and the PHY's arguments as they are called in MicroPython.
    """
    chip = CHIPS[board.board.chip]
    uart, engine = board.uart, board.engine
    made: dict[str, Any] = {
        "name": board.board.name,
        "mhz": chip.mhz,
        "engine": {"kind": engine.kind, "baud": engine.baud or ENGINES[engine.kind], "id": uart.id},
        "uart": {"tx": uart.tx, "rx": uart.rx, "rxbuf": uart.rxbuf},
        "network": {"kind": "wifi"},
    }
    if engine.trigger is not None:
        made["engine"]["trigger"] = engine.trigger
    if not isinstance(board.light, NoLight):
        made["light"] = board.light.model_dump(exclude=_FOR_PEOPLE)
    if isinstance(board.buzzer, EngineBuzzer):
        made["buzzer"] = {"kind": "engine"}
    elif board.buzzer is not None:
        made["buzzer"] = board.buzzer.model_dump(exclude=_FOR_PEOPLE)
    if board.button is not None:
        made["button"] = {"pin": board.button.pin, "active_low": board.button.active_low}
        if board.button.pin not in chip.input_only:
            made["button"]["pull"] = board.button.active_low
    if isinstance(board.network, Lan):
        made["network"] = board.network.model_dump(exclude_none=True)
    return made
