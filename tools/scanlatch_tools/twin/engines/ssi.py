"""Zebra's SE and DS engines: the Simple Serial Interface.

Not known, here as is harder for the host: it sleeps after a second and then loses whatever comes within 20 ms of the
first byte; it is delivered with Data Matrix, QR and GS1-128 off. A long symbol comes in several packets, all but the
last with status bit 1, each with the type and each to be acknowledged (`type_once`: the type is in the first only).
Numbers of parameters that the facts do not give are from memory.
"""

from scanlatch_tools.twin.engines import ssi_packet
from scanlatch_tools.twin.engines import ssi_table as table
from scanlatch_tools.twin.engines.base import Faults, Simulator
from scanlatch_tools.twin.engines.beam import Symbol
from scanlatch_tools.twin.engines.ssi_packet import (
    BAD_CONTEXT,
    CANCEL,
    CONTINUES,
    DENIED,
    PERMANENT,
    RESEND,
    RETRANSMIT,
    Packet,
    packet,
)

_REPLY_S = 0.003
_TRIES = 3  # of a packet that the host does not acknowledge: the first, and twice more


class Ssi(Simulator):
    """One engine. sleeps_after_s: idle for as long it sleeps; None: never.

    For tests: `parameters`, `permanent`, `unknown` (parameters that came and that there are not), `unanswered`
    (messages given up since the host did not acknowledge them).
    """

    name = "ssi"
    first = range(256)  # what may stand first in PARAM_SEND: the code of a beep, FF for none
    told_first = 0xFF
    delivered = table.PARAMETERS
    wakes_s = 0.02

    def __init__(
        self,
        *,
        type_once: bool = False,
        sleeps_after_s: float | None = 1.0,
        baud: int = 9600,
        boot_s: float = 0.3,
        decode_s: float = 0.005,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(baud=baud, boot_s=boot_s, decode_s=decode_s, faults=faults)
        self.permanent = {number: value for number, (value, _) in self.delivered.items()}
        if table.BAUD in self.permanent:
            self.permanent[table.BAUD] = next(code for code, speed in table.BAUDS.items() if speed == baud)
        self.parameters = dict(self.permanent)
        self.unknown: list[int] = []
        self.unanswered = 0
        self._type_once = type_once
        self._sleeps_after_s = sleeps_after_s
        self._packets = ssi_packet.Packets()
        self._enabled_by_host = True
        self._active_at = 0.0
        self._woken_at = -1.0
        self._outbox: list[bytes] = []  # packets of a symbol that the host has not acknowledged
        self._message = 0  # counts what waits for an acknowledgement

    # From the host

    def _hear(self, byte: int, now: float) -> None:
        asleep = self._sleeps_after_s is not None and now - self._active_at >= self._sleeps_after_s
        if asleep and not self.armed and not self._outbox:
            self._woken_at = now
            self._packets.clear()
        self._active_at = now
        if now < self._woken_at + self.wakes_s:
            return
        heard = self._packets.put(byte, now)
        if heard:
            self._serve(heard, now + _REPLY_S)

    def _serve(self, heard: Packet, at: float) -> None:
        if not heard.whole:
            self._refuse(RESEND, at)
        elif heard.opcode == table.ACK:
            self._acknowledged(at)
        elif heard.opcode == table.NAK and heard.data in (bytes([RESEND]), bytes([CANCEL])):
            if heard.data[0] == CANCEL:
                self._outbox.clear()
            elif self._outbox:
                self._deliver(at, RETRANSMIT, 2)
        elif heard.opcode == table.SEND:
            self._set(heard, at)
        elif heard.opcode == table.REQUEST:
            self._tell(heard, at)
        else:
            self._command(heard, at)

    def _command(self, heard: Packet, at: float) -> None:
        opcode = heard.opcode
        if len(heard.data) != table.PLAIN.get(opcode, 0):
            self._refuse(BAD_CONTEXT, at)
        elif opcode == table.START:
            if self.parameters[table.TRIGGER] != self._host_mode() or not self._enabled_by_host:
                self._refuse(DENIED, at)
            else:
                self.beam.turn(True, self._acknowledge(at))
        elif opcode in (table.STOP, table.DISABLE):
            self._enabled_by_host = self._enabled_by_host and opcode == table.STOP
            self.beam.turn(False, at)
            self._acknowledge(at)
        elif opcode in (table.REVISION, table.CAPABILITIES):
            self._identify(opcode, at)
        elif opcode == table.DEFAULTS:
            self._defaults(self._acknowledge(at))
        elif opcode in (table.ENABLE, table.SLEEP, table.FLUSH) or opcode in table.PLAIN:
            self._enabled_by_host = self._enabled_by_host or opcode == table.ENABLE
            self.beeps += opcode == table.BEEP
            if opcode == table.FLUSH:
                self._outbox.clear()
            sent = self._acknowledge(at)
            if opcode == table.SLEEP and self._sleeps_after_s is not None:
                self._active_at = sent - self._sleeps_after_s
        else:
            self._refuse(BAD_CONTEXT, at)

    def _identify(self, opcode: int, at: float) -> None:
        if opcode == table.REVISION:
            self.send(packet(table.REVISION_REPLY, b"PAABLS00-005-R00 0 9 2A0F"), at)
        else:  # speeds, flags, multipacket options, then the opcodes that it knows
            self.send(packet(table.CAPABILITIES_REPLY, b"\x0f\xf8\x00\x07" + table.KNOWN), at)

    def _set(self, heard: Packet, at: float) -> None:
        try:
            found = ssi_packet.parameters(heard.data[1:])
        except ValueError:
            found = []
        if not found or heard.data[0] not in self.first:
            self._refuse(BAD_CONTEXT, at)
            return
        if any(number in self.delivered and value not in self.delivered[number][1] for number, value in found):
            self._refuse(DENIED, at)
            return
        for number, value in found:
            if number not in self.delivered:
                self.unknown.append(number)
                continue
            self.parameters[number] = value
            if heard.status & PERMANENT:
                self.permanent[number] = value
        self._follow(dict(found), self._acknowledge(at))

    def _follow(self, found: dict[int, int], at: float) -> None:
        """Settings were set, and the acknowledgement has left."""
        if table.BAUD in found and table.BAUD in self.delivered:
            self.change_baud(table.BAUDS[found[table.BAUD]], at)
        if table.TRIGGER in found:
            self.beam.turn(False, at)
            self.beam.turn(self._reads_untold(), at)

    def _tell(self, heard: Packet, at: float) -> None:
        try:
            asked = ssi_packet.numbers(heard.data)
        except ValueError:
            asked = []
        if not asked:
            self._refuse(BAD_CONTEXT, at)
            return
        wanted = list(self.parameters) if asked == [0xFE] else [one for one in asked if one in self.parameters]
        values = ssi_packet.told({number: self.parameters[number] for number in wanted})
        self.send(packet(table.SEND, bytes([self.told_first]) + values), at)

    def _defaults(self, at: float) -> None:
        self.forbidden.append("defaults")
        self.permanent = {number: value for number, (value, _) in self.delivered.items()}
        self.after(at, self.reboot)

    def _acknowledge(self, at: float) -> float:
        return self.send(packet(table.ACK), at) if self.parameters[table.HANDSHAKE] else at

    def _refuse(self, cause: int, at: float) -> None:
        if self.parameters[table.HANDSHAKE]:
            self.send(packet(table.NAK, bytes([cause])), at)

    # To the host

    def _read(self, at: float) -> None:
        if not self.parameters[table.PACKETED]:
            super()._read(at)
            return
        symbol = self.beam.read(at)
        self.reads += 1
        self.beam.turn(False, at)
        self._outbox = self._packed(symbol)
        self._deliver(at, 0, _TRIES)

    def _packed(self, symbol: Symbol) -> list[bytes]:
        """The packets of a symbol, without their last status: the retransmit bit is added where they are sent again."""
        kind = bytes([table.SYMBOLOGIES.get(symbol.kind, (0, 0x03, b""))[1]])
        data = self._identifier(symbol) + symbol.data
        room = ssi_packet.LONGEST - 5
        parts = [data[start : start + room] for start in range(0, len(data), room)] or [b""]
        return [
            packet(
                table.DECODED, (b"" if self._type_once and at else kind) + part, CONTINUES if at < len(parts) - 1 else 0
            )
            for at, part in enumerate(parts)
        ]

    def _deliver(self, at: float, status: int, tries: int) -> None:
        """Send what is first in the outbox, up to the next that must be acknowledged."""
        waits = self.parameters.get(table.MULTI, 1) == 1
        while self._outbox:
            first = self._outbox[0]
            body = first[:3] + bytes([first[3] | status]) + first[4:-2]
            if first[:2] == b"\xff\xf4":  # its header is longer (see ssi_lite)
                body = first[:6] + bytes([first[6] | status]) + first[7:-2]
            at = self._active_at = self.send(ssi_packet.sealed(body), at, reply=False)
            if waits or len(self._outbox) == 1:
                break
            del self._outbox[0]
            at += self.parameters.get(table.MULTI_DELAY, 0) / 100
        if not self.parameters[table.HANDSHAKE]:
            self._acknowledged(at)
            return
        self._message += 1
        message = self._message

        def again(now: float) -> None:
            if not self._outbox or message != self._message:
                return
            if tries > 1:
                self._deliver(now, RETRANSMIT, tries - 1)
            else:
                self.unanswered += 1
                self._outbox.clear()

        self.after(at + self.parameters[table.RESPONSE_TIME] / 10, again)

    def _acknowledged(self, at: float) -> None:
        if self._outbox:
            del self._outbox[0]
            self._message += 1
        if self._outbox:
            self._deliver(at, 0, _TRIES)
        elif self._reads_untold():
            self.beam.turn(True, at)

    def _frame(self, symbol: Symbol) -> bytes:
        return self._identifier(symbol) + symbol.data + (b"\r" if self.parameters[table.FORMAT] & 1 else b"")

    def _identifier(self, symbol: Symbol) -> bytes:
        wanted = self.parameters.get(table.CODE_ID, 0)
        own = table.SYMBOLOGIES.get(symbol.kind, (0, 0, b"D"))[2]
        return symbol.aim.encode() if wanted == 1 else own if wanted == 2 else b""

    def _enabled(self, symbol: Symbol) -> bool:
        number = table.SYMBOLOGIES.get(symbol.kind, (8, 0, b""))[0]
        return not self._outbox and bool(self.parameters.get(number, 1))

    def _host_mode(self) -> int:
        return table.HOST_MODE

    def _reads_untold(self) -> bool:
        return self.parameters[table.TRIGGER] == table.PRESENTATION

    def _limit_s(self) -> float | None:
        return (
            self.parameters[table.TIMEOUT] / 10 or None if self.parameters[table.TRIGGER] == self._host_mode() else None
        )

    def _same_s(self) -> float | None:
        return 0.5 if self._reads_untold() else 0.0

    def _again_s(self) -> float | None:
        return 0.1 if self._reads_untold() else None

    def _boot(self, now: float) -> None:
        self._packets.clear()
        self._outbox.clear()
        self._enabled_by_host = True
        self.parameters = dict(self.permanent)
        self._active_at = now
        if table.BAUD in self.parameters:
            self.baud = table.BAUDS[self.parameters[table.BAUD]]
        self.beam.turn(self._reads_untold(), now)
