"""The table of all keys of a board file, for people: made from the schema, so that it can't say otherwise."""

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from scanlatch_tools.boards.chips import CHIPS
from scanlatch_tools.boards.schema import ENGINES, Board, allowed, direction, kind_of, unit, variants

_HEAD = "| key | meaning | unit | may be | default |\n|---|---|---|---|---|"


def markdown() -> str:
    """All tables with their keys, then the chips and what they keep for themselves."""
    parts: list[str] = []
    for table, about in Board.model_fields.items():
        optional = "" if about.is_required() else " May be left out."
        parts.append(f"### `[{table}]`\n\n{_sentence(about.description or '')}{optional}\n")
        models = variants(table)
        for model in models:
            kind = kind_of(model)
            rows = [_row(key, field) for key, field in model.model_fields.items() if kind is None or key != "kind"]
            if kind is not None:
                parts.append(f'`kind = "{kind}"`: {model.model_fields["kind"].description}.\n')
            if rows:
                parts.append("\n".join([_HEAD, *rows]) + "\n")
    speeds = ", ".join(f"`{kind}` {baud}" for kind, baud in ENGINES.items())
    parts.append(f"First speeds of the engines, where `engine.baud` is left out: {speeds}.\n")
    return "\n".join([*parts, _chips()])


def _row(key: str, field: FieldInfo) -> str:
    default = "needed" if field.is_required() else _default(key, field)
    way = direction(field)
    meaning = f"{field.description} ({way})" if way else str(field.description)
    return f"| `{key}` | {meaning} | {unit(field)} | {allowed(field)} | {default} |"


def _default(key: str, field: FieldInfo) -> str:
    value = field.default
    if value is None or value is PydanticUndefined:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:#x}" if key.endswith("_at") else f"{value}"
    return f'"{value}"'


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _chips() -> str:
    rows = [
        "### Chips\n",
        "| `chip` | pins | taken | decide the start | inputs only | serial ports |",
        "|---|---|---|---|---|---|",
    ]
    for name, chip in CHIPS.items():
        reasons: dict[str, list[int]] = {}
        for pin, reason in chip.taken.items():
            reasons.setdefault(reason, []).append(pin)
        taken = "; ".join(f"{runs(pins)} by {reason}" for reason, pins in reasons.items())
        straps, inputs = runs(list(chip.straps)), runs(list(chip.input_only))
        rows.append(
            f"| `{name}` | {runs(list(chip.exist))} | {taken or 'none'} | {straps or 'none'} | {inputs or 'none'} | "
            f"{runs(list(chip.uarts))} |"
        )
    return "\n".join(rows) + "\n"


def runs(pins: list[int]) -> str:
    """Numbers for people: 1, 3, 6 to 11."""
    found: list[list[int]] = []
    for pin in sorted(pins):
        if found and pin == found[-1][-1] + 1:
            found[-1].append(pin)
        else:
            found.append([pin])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in found)
