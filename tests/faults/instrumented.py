"""A copy of the firmware, compiled for its interpreter, in which any place that asks for heap can be made to fail.

Every expression that may allocate (a call, a slice, a bytes, a list, a bound method, ...) becomes
`_nth_behind(_nth_before(SITE), expression)`, and every import, definition and first-level statement of a module gets
`_nth_before(SITE)` ahead of it. What these two do stands in device_scripts/nth.py: they count, they find out by
measuring which sites allocate at all, and one of them raises MemoryError where it is told to.
"""

import ast
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from scanlatch_tools import places
from scanlatch_tools.twin import build

# Values of the copy that differ from the product's, so that a day takes less of the test's time: fewer pairs and looks.
_SHORTER = {
    ("prove/signer.py", "LIMIT"): 2,
    ("read/engines/commanded.py", "_POLL_MS"): 20,
    ("send/uplink.py", "_POLL_MS"): 20,
}
_NEVER_ALLOCATES = frozenset(("const", "len", "isinstance", "super", "hasattr", "type", "ord", "micropython"))
_PURE = (ast.Constant, ast.Name)


def firmware(folder: Path, source: Path | None = None) -> int:
    """Write the copy of `source` (our firmware) to `folder`, and sites.json beside it; how many sites it has."""
    sites: list[str] = []
    source = source or places.firmware()
    instrumented = folder / "source"
    for file in sorted(source.rglob("*.py")):
        name = file.relative_to(source)
        if name.name == "manifest.py":
            continue
        target = instrumented / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.parent == Path() or _is_table(file):
            shutil.copyfile(file, target)
        else:
            target.write_text(_instrument(file.read_text(), name.relative_to("scanlatch").as_posix(), sites))
    build.compile_tree(instrumented, folder / "lib")
    (folder / "sites.json").write_text(json.dumps(sites))
    return len(sites)


def _is_table(file: Path) -> bool:
    return file.stem in ("patterns", "gs1_table", "p256_table")


def _instrument(text: str, name: str, sites: list[str]) -> str:
    tree = ast.parse(text)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            shorter = _SHORTER.get((name, node.targets[0].id))
            if shorter is not None and isinstance(node.value, ast.Call):
                node.value.args[0] = ast.Constant(shorter)
    tree = _Marker(name, sites).visit(tree)
    head = "from nth import before as _nth_before, behind as _nth_behind\n"
    return head + ast.unparse(ast.fix_missing_locations(tree)) + "\n"


class _Marker(ast.NodeTransformer):
    """Puts the sites in."""

    def __init__(self, name: str, sites: list[str]) -> None:
        self._name = name
        self._sites = sites
        self._inside = False

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = [made for one in node.body for made in self._first_level(one)]
        return node

    def _first_level(self, node: ast.stmt) -> Iterable[ast.stmt]:
        if _is_free(node):
            return [node]
        return [self._mark(node), self.visit(node)]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.body = [
            self.visit(one) if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) else one for one in node.body
        ]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return self._function(node)

    def _function(self, node):
        outer, self._inside = self._inside, True
        node.body = self._block(node.body)
        self._inside = outer
        return node

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for node in body:
            if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef)):
                made.append(self._mark(node))
            made.append(self.visit(node))
        return made

    def _statement(self, node):
        for field in ("body", "orelse", "finalbody"):
            if getattr(node, field, None):
                setattr(node, field, self._block(getattr(node, field)))
        if getattr(node, "test", None) is not None:
            node.test = self.visit(node.test)
        if getattr(node, "iter", None) is not None:
            node.iter = self._parts(node.iter) if _is_call(node.iter, "range") else self.visit(node.iter)
        for handler in getattr(node, "handlers", ()):
            handler.body = self._block(handler.body)
        for item in getattr(node, "items", ()):
            item.context_expr = self.visit(item.context_expr)
        return node

    visit_If = visit_While = visit_For = visit_Try = visit_With = _statement  # noqa: N815

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        if isinstance(node.value, ast.Tuple) and isinstance(node.targets[0], ast.Tuple):
            node.value.elts = [self._value(one) for one in node.value.elts]  # the compiler makes no tuple of it
        else:
            node.value = self._value(node.value)
        return node

    def _parts(self, node):
        node.args = [self.visit(one) for one in node.args]  # the compiler makes a loop of it
        return node

    def visit_Return(self, node: ast.Return) -> ast.Return:
        if node.value is not None:
            node.value = self._value(node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AugAssign:
        node.value = self.visit(node.value)
        return node

    def visit_Delete(self, node: ast.Delete) -> ast.Delete:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._wrap(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "const":
            return node
        node.args = [self._value(one) for one in node.args]
        for keyword in node.keywords:
            keyword.value = self._value(keyword.value)
        if isinstance(node.func, ast.Attribute) and not _is_call(node.func.value, "super"):
            node.func.value = self.visit(node.func.value)
        return node if name in _NEVER_ALLOCATES else self._wrap(node)

    def visit_Starred(self, node: ast.Starred) -> ast.Starred:
        node.value = self.visit(node.value)
        return node

    def _expression(self, node: ast.expr) -> ast.AST:
        return self._wrap(self.generic_visit(node))

    visit_ListComp = visit_GeneratorExp = visit_DictComp = visit_SetComp = _expression  # noqa: N815
    visit_JoinedStr = _expression  # noqa: N815

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        return node if all(_is_small(one) for one in (node.left, node.right)) else self._expression(node)

    def _collection(self, node):
        if isinstance(getattr(node, "ctx", None), ast.Store):
            return node
        return self._expression(node)

    visit_List = visit_Dict = visit_Set = visit_Subscript = _collection  # noqa: N815

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        if all(isinstance(one, (ast.Constant, ast.Name)) for one in node.elts):
            return node  # of types, for isinstance and except; or one that the compiler makes
        return self._collection(node)

    def _value(self, node: ast.expr) -> ast.expr:
        # What is handed on: taken from an object it may be a bound method, which is made for that.
        if isinstance(node, ast.Attribute):
            return self._wrap(self.generic_visit(node))  # type: ignore[return-value]
        return self.visit(node)

    def _wrap(self, node: ast.AST) -> ast.AST:
        if not self._inside or any(isinstance(one, (ast.Await, ast.Yield, ast.NamedExpr)) for one in ast.walk(node)):
            return node
        return _call("_nth_behind", _call("_nth_before", ast.Constant(self._site(node))), node)

    def _mark(self, node: ast.stmt) -> ast.Expr:
        return ast.Expr(_call("_nth_before", ast.Constant(-1 - self._site(node))))

    def _site(self, node: ast.AST) -> int:
        words = ast.unparse(node).splitlines()[0].replace("_nth_behind", "").replace("_nth_before", "")
        self._sites.append(f"{self._name}:{getattr(node, 'lineno', 0)} {words[:100]}")
        return len(self._sites) - 1


def _call(name: str, *arguments: ast.AST) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])  # type: ignore[arg-type]


def _is_call(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _is_small(node: ast.expr) -> bool:
    # A small int for sure: a number, or a constant's name (_SUCH, or SUCH of another module, which are numbers here).
    return (isinstance(node, ast.Constant) and isinstance(node.value, int)) or (
        isinstance(node, ast.Name) and node.id.isupper()
    )


def _is_free(node: ast.stmt) -> bool:
    # A first-level statement that the compiler does away with, or that must stay where it is.
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.ImportFrom):
        return node.module == "micropython"
    value = getattr(node, "value", None)
    return isinstance(value, ast.expr) and _is_call(value, "const")
