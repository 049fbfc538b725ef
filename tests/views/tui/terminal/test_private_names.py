"""Only terminal/ reaches below the public surface of Textual and Rich."""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import tokentop

ROOT = Path(tokentop.__file__).parent
MAY = ROOT / "views" / "tui" / "terminal"
MODULES = sorted(path for path in ROOT.rglob("*.py") if MAY not in path.parents)
LIBRARIES = ("textual", "rich")
PUBLIC_ALL_THE_SAME = {"_replace", "_asdict", "_fields", "_make"}  # a named tuple's methods


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def imports(tree: ast.AST) -> Iterator[str]:
    """Private modules and names that are imported from the libraries."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            paths = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            paths = [alias.name for alias in node.names]
        else:
            continue
        yield from (
            path
            for path in paths
            if path.split(".")[0] in LIBRARIES and any(map(is_private, path.split(".")))
        )


def touched(tree: ast.AST) -> Iterator[str]:
    """Private attributes of anything but `self`, `cls` and the standard library's own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if owner not in ("self", "cls", "os") and node.attr not in PUBLIC_ALL_THE_SAME:
                yield ast.unparse(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and is_private(str(name.value)):
                yield ast.unparse(node)


def own_names(body: ast.ClassDef) -> Iterator[str]:
    """Private names that a class defines, or touches through `self`."""
    for node in ast.walk(body):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self", "cls"):
            yield node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


@cache
def library_names(base: type) -> frozenset[str]:
    """Private names of one class of the libraries: of its body, and set on `self`."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
    assert isinstance(body, ast.ClassDef)
    return frozenset(filter(is_private, {*vars(base), *own_names(body)}))


def collisions(tree: ast.AST, module: str) -> Iterator[str]:
    """Private names of our classes that a base class of the libraries has as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            ours = getattr(importlib.import_module(module), node.name, object)
            bases = [b for b in ours.__mro__ if b.__module__.split(".")[0] in LIBRARIES]
            theirs = frozenset[str]().union(*map(library_names, bases))
            yield from (f"{node.name}.{name}" for name in {*own_names(node)} & theirs)


def offences(path: Path) -> Iterator[str]:
    """What a module outside terminal/ must not do; only what draws can touch a library's object."""
    source, draws = path.read_text(), path.is_relative_to(ROOT / "views")
    if not draws and not any(library in source for library in LIBRARIES):
        return  # it imports neither: there is nothing to parse
    tree = ast.parse(source)
    yield from imports(tree)
    if draws:
        yield from touched(tree)
    if path.is_relative_to(ROOT / "views" / "tui"):
        module = path.relative_to(ROOT.parent).with_suffix("")
        yield from collisions(tree, ".".join(module.parts))


def test_no_private_name_is_used_outside_terminal() -> None:
    """Neither imported, nor touched, nor overridden by an accident of naming."""
    found = {str(path.relative_to(ROOT)): list(offences(path)) for path in MODULES}
    assert len(found) > 150
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from textual._compositor import Compositor",
        "from textual.app import _private",
        "import rich._loop",
        "screen._compositor.render_strips()",
        "getattr(app._driver, 'x')",
        "getattr(app, '_driver')",
        "super()._handle_exception(error)",
    ],
)
def test_the_check_sees_each_way(source: str) -> None:
    """It is not blind to any of the ways in which a private name is reached."""
    tree = ast.parse(source)
    assert [*imports(tree), *touched(tree)]


def test_the_check_sees_an_accidental_override() -> None:
    """`self._nodes` in a widget of ours would replace Textual's own list of children."""
    from tokentop.views.tui.widgets import panel

    tree = ast.parse(inspect.getsource(panel).replace("self._lines", "self._nodes"))
    assert list(collisions(tree, panel.__name__)) == ["Panel._nodes"]
