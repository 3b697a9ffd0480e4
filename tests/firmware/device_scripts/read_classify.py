# Runs on MicroPython: classifies the symbols of a JSON file, then 4,000 random byte strings; prints JSON.
import json
import sys

import scanlatch
from scanlatch.read import gs1, trace_code
from scanlatch.read.engines import commanded as port


def random_bytes(state, limit):
    # A small generator of our own: the same bytes at every run; prefixes steer it into the parsers.
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    heads = (b"", b"01", b"]d2", b"\x1d01", b"424", b"opc", b"8338", b"0106901234567892", b"(01)", b"]C1")
    data = bytearray(heads[state >> 7 & 15] if state >> 7 & 15 < len(heads) else b"")
    count = (state >> 12) % limit
    digits = state >> 5 & 1
    for _ in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        data.append(0x30 + (state >> 16) % 11 if digits else state >> 16 & 0xFF)
    return state, bytes(data)


def main():
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    results = []
    for sym, data, rules in cases["classify"]:
        results.append(list(trace_code.classify(sym, bytes(data), rules)))
    parsed = []
    for data in cases["parse"]:
        try:
            parsed.append(gs1.parse(bytes(data)))
        except ValueError as error:
            parsed.append(error.args)
    scanlatch.forget = lambda module: None  # 4,000 times loaded would take its time
    state = 7
    for i in range(4000):
        state, data = random_bytes(state, 1024 if i % 20 == 0 else 60)
        try:
            sym, rest = port.split(data)
            kind, family = trace_code.classify(sym, rest, {"first_digit": "8"})
            if (kind == trace_code.TRACE) != (family in (1, 2)):
                raise ValueError("family without trace")
        except Exception as error:
            print("escaped", data, file=sys.stderr)
            raise error
    print(json.dumps({"classify": results, "parse": parsed}))


main()
