"""Shuts terminals out of the site's broker, where it runs, and lets them in again.

Measured with mosquitto 2.0.11 and our settings: at SIGHUP it reads ACL and CRLs anew and keeps every connection. From
then on the ACL refuses what a terminal publishes and what it would hear; no ACL refuses a connect. The CRL refuses the
next connect; a connection that stands is not looked at again. It ends when another client takes its place, and for that
there is a certificate of its name and the broker's own key (revocation.py).
"""

import contextlib
import os
import re
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from scanlatch_tools import revocation, site_files
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

CONFIRM_S = 4.0  # so long the broker may take to act: it reads its files anew between two messages
_STEP_S = 0.1
_NOT_AUTHORIZED = 0x87  # MQTT 5, 2.4
_LISTENER = re.compile(r"^listener (\d+)", re.MULTILINE)


@dataclass(slots=True)
class Told:
    """What the broker does now: refuses what the terminal publishes, its next connect; whether its connection ended.

    None where there was nothing to be seen of it. todo: what is left for a person.
    """

    publish: bool | None = None
    connect: bool | None = None
    ended: bool | None = None
    todo: list[str] = field(default_factory=list[str])

    @property
    def done(self) -> bool:
        """Whether nothing is left for a person."""
        return not self.todo

    def plain(self) -> dict[str, object]:
        """For programs."""
        return asdict(self)


def shut_out(folder: Path) -> set[str]:
    """Who is shut out now, by the broker's files."""
    with contextlib.suppress(FileNotFoundError):
        return set(site_files.denied((folder / "acl").read_text()))
    return set()


def shut(folder: Path, out: Iterable[str], device: str) -> Told:
    """Shut exactly `out` out, `device` among them, and end its connection. Raises ToolError."""
    told = Told()
    revocable = _write(folder, set(out), told)
    if told.todo:
        return told
    if _reads_by_itself(folder):
        told.publish = told.connect = True
        return told
    if device not in revocable:
        told.todo.append(
            _(
                "its certificate was issued before revocations were: the broker refuses all that it says, and still "
                "takes its connect. Only a new CA ends that"
            )
        )
    if _reload(folder, told):
        told.connect = device in revocable
        if told.connect:
            _take_place(folder, device, told)
    return told


def admit(folder: Path, out: Iterable[str]) -> Told:
    """Shut exactly `out` out, and nobody else any more. Raises ToolError."""
    told = Told()
    _write(folder, set(out), told)
    if not told.todo and not _reads_by_itself(folder):
        _reload(folder, told)
    return told


def _write(folder: Path, out: set[str], told: Told) -> set[str]:
    acl, settings = folder / "acl", folder / "mosquitto.conf"
    if not acl.exists() or not settings.exists():
        told.todo.append(
            _("the broker's files are not in {folder}: run `scanlatch fleet cut` on the broker's machine").format(
                folder=folder
            )
        )
        return set()
    try:
        _replace(acl, site_files.denying(acl.read_text(), sorted(out)))
        revocable = revocation.written(folder, out)
    except PermissionError as error:
        raise ToolError(
            _("{file} can't be written by this account: run this as the folder's owner").format(file=error.filename)
        ) from error
    if "\ncrlfile " not in settings.read_text():
        told.todo.append(
            _(
                "{settings} is older than revocations: below keyfile put `crlfile {crl}` and `pid_file {pid}`, restart "
                "the broker once, and run this again"
            ).format(settings=settings, crl=folder / revocation.LIST, pid=folder / "broker" / "mosquitto.pid")
        )
    return revocable


def _replace(path: Path, text: str) -> None:
    if path.read_text() == text:
        return  # the broker's account has no right to write it, and need not
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.chmod(0o644)  # the broker may run under another account
    new.replace(path)


def _reload(folder: Path, told: Told) -> bool:
    """Have the broker read its files anew; whether it was told to."""
    pid = _pid(folder)
    if pid is None:
        told.todo.append(
            _(
                "no broker of this folder runs here. Where it runs, put acl, revoked.pem and ca/revocations/ into its "
                "folder and run `scanlatch fleet cut` there; one that is started later reads them by itself"
            )
        )
        return False
    try:
        os.kill(pid, signal.SIGHUP)
    except PermissionError:
        told.todo.append(_("the broker runs under another account: run `scanlatch fleet cut` as that one, or as root"))
        return False
    return True


def _reads_by_itself(folder: Path) -> bool:
    """The broker of trials looks at the ACL every second: see broker.py."""
    return (folder / "broker" / "amqtt.pid").exists()


def _pid(folder: Path) -> int | None:
    """The site's mosquitto, where one runs."""
    try:
        pid = int((folder / "broker" / "mosquitto.pid").read_text())
    except (OSError, ValueError):
        return None
    said = subprocess.run(["ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False)
    return pid if "mosquitto" in said.stdout else None  # another process may have the number by now


def _take_place(folder: Path, device: str, told: Told) -> None:
    """Take the terminal's place, which ends its connection and what waits for it, and see whether it is refused."""
    context = ssl.create_default_context(cafile=str(folder / "ca" / "ca.pem"))
    context.check_hostname = False  # this machine's own broker, by whatever name others know it
    try:
        context.load_cert_chain(revocation.path(folder, device), folder / "broker" / "broker.key")
    except PermissionError:
        told.todo.append(
            _(
                "its connection may stand, and is good for nothing: to end it run `scanlatch fleet cut` as the "
                "broker's account"
            )
        )
        return
    found = _LISTENER.search((folder / "mosquitto.conf").read_text())
    deadline = time.monotonic() + CONFIRM_S
    with _Place(context, int(found[1]) if found else 8883, device) as place:
        told.ended = place.taken.wait(CONFIRM_S)
        while told.ended and not told.publish and time.monotonic() < deadline:
            told.publish = place.refused()
            if not told.publish:
                time.sleep(_STEP_S)
    if not told.publish:
        told.todo.append(
            _("the broker did not confirm it within {seconds:.0f} s: run this again, or restart the broker").format(
                seconds=CONFIRM_S
            )
        )


class _Place:
    """A connection under a terminal's name."""

    def __init__(self, context: ssl.SSLContext, port: int, device: str) -> None:
        self.taken = threading.Event()
        self._answered = threading.Event()
        self._answer: int | None = None
        self._topic = f"scanlatch/v1/none/{device}/status"
        client = paho.Client(CallbackAPIVersion.VERSION2, device, protocol=paho.MQTTv5, reconnect_on_failure=False)
        client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType]
        client.on_connect = lambda _c, _u, _f, code, _p: None if code.is_failure else self.taken.set()
        client.on_publish = lambda _c, _u, _m, code, _p: self._note(code)
        self._client = client
        self._port = port

    def __enter__(self) -> "_Place":
        with contextlib.suppress(OSError):
            self._client.connect("127.0.0.1", self._port, clean_start=True)
            self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def refused(self) -> bool:
        """Whether the broker refuses what is published under this name."""
        self._answered.clear()
        self._client.publish(self._topic, b"", 1)
        return self._answered.wait(CONFIRM_S) and self._answer == _NOT_AUTHORIZED

    def _note(self, code: ReasonCode) -> None:
        self._answer = code.value
        self._answered.set()
