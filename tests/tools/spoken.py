"""Finds what the tools would say to a person without asking the catalogue."""

import ast
import re
from collections.abc import Iterator, Sequence

# Calls whose words a person reads; those of `_BY_SENTENCE` are also given keys and names, which have no blank in them.
_ALWAYS = {"echo", "secho", "confirm", "prompt", "add_column", "print"}
_TABLES = {"Column", "Table"}  # where they are rich's: the ledger has tables, too
_BY_SENTENCE = {"ask", "typed", "tell", "say", "add_row", "Check", "Step"}
_THROUGH = {"_", "N_", "n_", "text", "told", "dumps"}  # the catalogue, or a program's JSON
_PLACE_FIRST = {"ConfigError", "LedgerBroken", "BadInput", "NotInHand"}  # file, setting or key: a name, no sentence
_WORD = re.compile(r"[A-Za-z]{2,}")
_NAMES = re.compile(
    r"`[^`]*`|\bSHA-256\b|\bMiB\b|\bscanlatch:|^scanlatch $|^python3  BUNDLE --ca ca.pem$|^platform  knobs $|--[a-z-]+"
)


def errors(trees: Sequence[ast.AST]) -> set[str]:
    """Names of the exceptions whose words are for people: ToolError, BridgeError and all that come from them."""
    bases: dict[str, set[str]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(_name(base) for base in node.bases)
    found = {"ToolError", "BridgeError", "BadParameter"}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found


def bare(tree: ast.AST, people: set[str]) -> Iterator[tuple[int, str]]:
    """Line and words of each sentence that is said around the catalogue."""
    always = _ALWAYS | (_TABLES if any(map(_of_rich, ast.walk(tree))) else set[str]())
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node.func)
        if name in people | always | _BY_SENTENCE:
            titles = [word.value for word in node.keywords if word.arg in ("title", "caption")]
            for argument in [*node.args[name in _PLACE_FIRST :], *titles]:
                for found in _strings(argument):
                    words = _NAMES.sub("", _words(found))
                    if _WORD.search(words) and (name not in _BY_SENTENCE or " " in words.strip()):
                        yield found.lineno, words


def _of_rich(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and str(node.module).startswith("rich")


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _strings(node: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """The strings in an argument that are said, not those that only choose: comparisons, keys, options of calls."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node
    elif isinstance(node, ast.IfExp):
        yield from _strings(node.body)
        yield from _strings(node.orelse)
    elif isinstance(node, ast.Call):
        if _name(node.func) not in _THROUGH:
            for argument in [*([node.func.value] if isinstance(node.func, ast.Attribute) else []), *node.args]:
                yield from _strings(argument)
    elif not isinstance(node, (ast.Compare, ast.Subscript, ast.Dict)):
        for below in ast.iter_child_nodes(node):
            yield from _strings(below)


def _words(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
