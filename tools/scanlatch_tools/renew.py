"""Has a running broker take its new certificate, and sees that it did."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

from scanlatch_tools import site as sites

_TAKEN_S = 5.0  # so long the broker may take: it reads its files anew between two messages
_POLL_S = 0.05


def reload(folder: Path) -> bool:
    """Send SIGHUP to the mosquitto of this folder; whether it then shows the certificate that is in its file."""
    place = sites.load(folder)
    try:
        pid = int((place.folder / "broker" / "mosquitto.pid").read_text())
        said = subprocess.run(["ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False)
        if "mosquitto" not in said.stdout:  # it ended, and its number was given again
            return False
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError):
        return False
    wanted = ssl.PEM_cert_to_DER_cert((place.folder / "broker" / "broker.pem").read_text())
    end = time.monotonic() + _TAKEN_S
    while time.monotonic() < end:
        if served(place) == wanted:
            return True
        time.sleep(_POLL_S)
    return False


def served(place: sites.Site) -> bytes | None:
    """The certificate that the broker shows to who connects now, DER; None where it can't be had."""
    context = ssl.create_default_context(cafile=str(place.folder / "ca" / "ca.pem"))
    bridge = place.folder / "bridge" / place.bridges[0]
    with contextlib.suppress(OSError):
        context.load_cert_chain(f"{bridge}.pem", f"{bridge}.key")
        with (
            socket.create_connection((place.host, place.port), _TAKEN_S) as plain,
            context.wrap_socket(plain, server_hostname=place.verify) as line,
        ):
            return line.getpeercert(binary_form=True)
    return None
