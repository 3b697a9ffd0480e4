"""GROW GM67, M5Stack ATOM QR and other engines with the dialect of SSI that is not Zebra's.

Not known, here as is harder for the host: REQUEST_REVISION and a PARAM_SEND that does not begin with 00 are refused
(`tells_revision`: the first is not), and its raw output ends with nothing. Which symbologies are on can't be set. It
never tells the AIM identifier; the type tells GS1-128 from Code 128, and nothing tells GS1 in two dimensions.
"""

from scanlatch_tools.twin.engines import ssi, ssi_packet
from scanlatch_tools.twin.engines import ssi_table as table
from scanlatch_tools.twin.engines.base import Faults
from scanlatch_tools.twin.engines.beam import Symbol
from scanlatch_tools.twin.engines.ssi_packet import BAD_CONTEXT, Packet

_TYPES = {
    "code39": 0x01, "code128": 0x03, "ean8": 0x0A, "ean13": 0x0B, "gs1_128": 0x0F, "itf": 0x06, "databar": 0x30,
    "pdf417": 0xF0, "qr": 0xF1, "gs1_qr": 0xF1, "datamatrix": 0xF2, "gs1_datamatrix": 0xF2, "aztec": 0xF3,
}  # fmt: skip
_LONG = 0xF4  # opcode of a packet with a length of 16 bits
_RESTORE = 1023  # F2 FF: as delivered
_AUTO, _MOTION = 4, 9
_LIGHT, _AIMER, _START_TONE, _SET_TONE, _SAME = 770, 771, 781, 782, 1027  # F2 02, F2 03, F2 0D, F2 0E, F3 03
_INTERVAL = 0x89


class SsiLite(ssi.Ssi):
    """One engine. acks_as_host: its acknowledgements have the source 04; host_mode: what it calls host mode (Nadamoo's
    engines: 7).
    """

    name = "ssi_lite"
    first = range(1)
    told_first = 0x00
    wakes_s = 0.05

    def __init__(
        self,
        *,
        acks_as_host: bool = False,
        host_mode: int = 8,
        tells_revision: bool = False,
        sleeps_after_s: float | None = 1.0,
        baud: int = 9600,
        boot_s: float = 0.3,
        decode_s: float = 0.005,
        faults: Faults | None = None,
    ) -> None:
        self.delivered = {
            table.TRIGGER: (0, (0, 2, _AUTO, host_mode, _MOTION)),
            table.TIMEOUT: (50, range(256)),
            _INTERVAL: (10, range(100)),
            table.PACKETED: (0, (0, 1)),
            table.FORMAT: (0, range(8)),
            table.HANDSHAKE: (1, (0, 1)),
            table.RESPONSE_TIME: (20, range(100)),
            0x38: (1, (0, 1)),
            0x8C: (1, range(3)),
            _LIGHT: (0, range(3)),
            _AIMER: (0, range(3)),
            _START_TONE: (1, (0, 1)),
            _SET_TONE: (1, (0, 1)),
            _SAME: (0, range(100)),
            _RESTORE: (0, (0,)),
        }
        super().__init__(baud=baud, boot_s=boot_s, decode_s=decode_s, faults=faults, sleeps_after_s=sleeps_after_s)
        self._acks_as_host = acks_as_host
        self._own_host_mode = host_mode
        self._tells_revision = tells_revision

    def _set(self, heard: Packet, at: float) -> None:
        super()._set(heard, at)
        if heard.data[1:3] == b"\xf2\xff":
            self._defaults(self.line.free)

    def _identify(self, opcode: int, at: float) -> None:
        if opcode == table.REVISION and self._tells_revision:
            self.send(ssi_packet.packet(table.REVISION_REPLY, b"GM67 V1.0"), at)
        else:
            self._refuse(BAD_CONTEXT, at)

    def _acknowledge(self, at: float) -> float:
        source = ssi_packet.HOST if self._acks_as_host else ssi_packet.DECODER
        return self.send(ssi_packet.packet(table.ACK, source=source), at) if self.parameters[table.HANDSHAKE] else at

    def _packed(self, symbol: Symbol) -> list[bytes]:
        kind = bytes([_TYPES.get(symbol.kind, 0x03)])
        if 5 + len(symbol.data) < ssi_packet.LONGEST:
            return [ssi_packet.packet(table.DECODED, kind + symbol.data)]
        size = (8 + len(symbol.data)).to_bytes(2, "big")
        return [ssi_packet.sealed(bytes([0xFF, _LONG]) + size + bytes([_LONG, 0, 0]) + kind + symbol.data)]

    def _host_mode(self) -> int:
        return self._own_host_mode

    def _reads_untold(self) -> bool:
        return self.parameters[table.TRIGGER] in (_AUTO, _MOTION)

    def _same_s(self) -> float | None:
        return self.parameters[_SAME] / 10
