"""What people are told of each engine family where its wires are drawn."""

from typing import NamedTuple


class Family(NamedTuple):
    """A family of scan engines. below: what is known of its connector."""

    title: str
    models: str
    supply: str
    below: str = ""


_PAPER = "as its paper says"
FAMILIES = {
    "auto": Family("Scan engine", "any: the terminal finds out", _PAPER),
    "line": Family("Scan engine", "any that sends lines", _PAPER),
    "grow": Family(
        "GROW engine",
        "GM65, GM65-S, GM60, GM805, GM861",
        "4.2 to 6.0 V; GM65-S: 3.3 V",
        "GM65-S: 2 VCC, 3 GND, 4 RX, 5 TX, 12 TRIG",
    ),
    "newland": Family("Newland engine", "EM3080, EM3096, FM430, N1", _PAPER),
    "honeywell": Family("Honeywell engine", "N36xx, N56xx, N66xx, N67xx", _PAPER),
    "ssi": Family("Zebra engine (SSI)", "SE and DS series", _PAPER),
    "ssi_lite": Family("SSI-lite engine", "Atomic QR-CODE base (A133), GM67", _PAPER),
    "m14": Family("M5Stack M14 engine", "Unit QRCode, Atomic QRCode2 base", _PAPER),
    "de2120": Family("DYScan engine", "DE2120", _PAPER),
}
