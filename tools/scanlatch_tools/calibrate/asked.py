"""What calibration has a board run: its own driver of the engine, whose commands and frames are told."""

# Of a frame only what is of the sheet leaves the board: what else lies on the counter may be a person's.
PREPARE = """
import asyncio, json
from binascii import hexlify
from scanlatch.keep import store
from scanlatch.read.engines import commanded
from scanlatch.system import board, settings, wiring
from scanlatch.system.clock import Clock
_given = settings.load()
_password = (store.Nvs(board.nvs()).get_bytes("wifi_password") or b"").decode()
_box = wiring.board(_given["board"], _given.get("wifi", {{}}).get("ssid"), _password)
_heard, _states, _asks = [], [], []
_marks = {marks!r}
_ask = commanded.Commanded.ask
def _hex(data):
    return hexlify(data).decode()
async def _told(self, *arguments):
    reply = await _ask(self, *arguments)
    if self.tell is None and len(_asks) < 100:
        _asks.append([_hex(arguments[0]), _hex(reply)])
    return reply
commanded.Commanded.ask = _told
def _frame(aim, data):
    ours = any(mark in data.lower() for mark in _marks)
    if len(_heard) < 20:
        _heard.append([aim, _hex(data) if ours else None])
def _state(state, detail):
    _states.append([state, detail, _now.kind])
async def _run():
    global _now
    while True:
        _now = await _now.run(_frame, _state)
async def _some(ms):
    global _task
    if _task is None:
        _task = asyncio.create_task(_run())
    for _ in range(0, ms, 20):
        if _heard or _states:
            break
        await asyncio.sleep_ms(20)
def _take(ms, *colour):
    global _heard, _states, _asks
    if colour:
        _box.light.colour(*colour)
    asyncio.run(_some(ms))
    print(json.dumps([_heard, _states, _asks]))
    _heard, _states, _asks = [], [], []
_task = None
_now = wiring.engine(_given["board"]["engine"], _box, Clock())
"""
TAKE = "_take({arguments})"
