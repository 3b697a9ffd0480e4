"""Runs a site's MQTT broker: mosquitto as its configuration says, or amqtt inside this process for a trial."""

import asyncio
import contextlib
import errno
import logging
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, Protocol

from amqtt.contexts import BrokerConfig, ListenerConfig  # pyright: ignore[reportMissingTypeStubs]

from scanlatch_tools.errors import ToolError
from scanlatch_tools.site import Site
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why
from scanlatch_tools.trial_broker import StrictBroker

_START_S = 10.0
_STOP_S = 10.0
_POLL_S = 0.01
_PORTS = range(10_000, 32_768)
_PORT_TRIES = 100


class BrokerError(ToolError):
    """The broker did not start or stop; the message has what it said."""


class SiteBroker(Protocol):
    """A broker that can be cut and started again on the same port."""

    def start(self) -> None:
        """Listen. Raises BrokerError."""
        ...

    def stop(self) -> None:
        """Drop every connection and close the port."""
        ...


class Mosquitto:
    """mosquitto with the site's own mosquitto.conf; its log goes to `log`, default broker/mosquitto.log."""

    def __init__(self, site: Site, log: Path | None = None) -> None:
        self._site = site
        self._log = log or site.folder / "broker" / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id. Raises BrokerError where it does not run."""
        if self._process is None:
            raise BrokerError(_("mosquitto is not running"))
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it accepts connections. Raises BrokerError."""
        program = find_mosquitto()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(self._site.folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_S
        while not _accepts(self._site):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise BrokerError(
                    _("mosquitto did not start; {log} ends with:\n{tail}").format(log=self._log, tail=self._tail())
                )
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """End it in order; it saves its queue."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-5:])


class Amqtt:
    """amqtt in a thread of this process, behind the site's certificates. MQTT 3.1.1 only, no `$share`.

    It forgets sessions and queues when stopped: devices send again what no receipt covers. Whom its ACL shuts out is
    out within a second; CRLs it does not read.
    """

    def __init__(self, site: Site, log_level: int = logging.CRITICAL) -> None:
        self._site = site
        self._log_level = log_level
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._broker: StrictBroker | None = None

    def __enter__(self) -> "Amqtt":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on the site's port. Raises BrokerError."""
        if self._loop is not None:
            return
        for name in ("amqtt", "transitions"):  # a client that is cut off is no news here
            logging.getLogger(name).setLevel(self._log_level)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="amqtt", daemon=True)
        thread.start()
        self._loop, self._thread = loop, thread
        try:
            self._broker = self._run(self._open(), _START_S)
            self._mark.write_text(f"{os.getpid()}\n")
        except Exception as error:
            self._end_loop()
            raise BrokerError(
                _("the broker can't listen on port {port}: {error}").format(port=self._site.port, error=why(error))
            ) from error

    def stop(self) -> None:
        """Drop every connection and close the port. Raises BrokerError where that hangs."""
        broker, self._broker = self._broker, None
        if broker is None:
            return
        try:
            self._mark.unlink(missing_ok=True)
            self._run(broker.shutdown(), _STOP_S)
        finally:
            self._end_loop()

    @property
    def _mark(self) -> Path:
        """Says that the broker of this folder looks at its ACL by itself."""
        return self._site.folder / "broker" / "amqtt.pid"

    async def _open(self) -> "StrictBroker":
        folder = self._site.folder
        address = self._site.host if _is_loopback(self._site.host) else "0.0.0.0"  # noqa: S104 - terminals are elsewhere
        listener = ListenerConfig(
            bind=f"{address}:{self._site.port}",
            ssl=True,
            cafile=folder / "ca" / "ca.pem",
            certfile=folder / "broker" / "broker.pem",
            keyfile=folder / "broker" / "broker.key",
        )
        broker = StrictBroker(BrokerConfig(listeners={"default": listener}, plugins={}))
        broker.acl = folder / "acl"
        await broker.start()
        self._watch = asyncio.create_task(broker.watch())
        return broker

    def _run(self, job: Coroutine[Any, Any, Any], limit_s: float) -> Any:
        if self._loop is None:
            raise BrokerError(_("the broker is not running"))
        future = asyncio.run_coroutine_threadsafe(job, self._loop)
        try:
            return future.result(limit_s)
        except FutureTimeoutError:
            future.cancel()
            raise BrokerError(_("the broker did not answer within {limit_s:.0f} s").format(limit_s=limit_s)) from None

    def _end_loop(self) -> None:
        loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_others(), loop).result(_STOP_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_STOP_S)
        loop.close()


def find_mosquitto() -> str:
    """Path of mosquitto. Raises BrokerError where there is none."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if not found:
        raise BrokerError(_("mosquitto is not installed: apt-get install mosquitto, or brew install mosquitto"))
    return found


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has at the moment.

    None of those that systems give to whoever connects: a broker that is away for a while would find its port taken.
    Raises OSError where none is free.
    """
    for port in random.SystemRandom().sample(_PORTS, _PORT_TRIES):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _accepts(site: Site) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((site.host, site.port), 1):
        return True
    return False


def _is_loopback(host: str) -> bool:
    return host in ("127.0.0.1", "localhost", "::1")


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), _STOP_S / 2)
