"""Small changes to one source file, each of which some test should notice.

A mutation is an edit of the source text at the position of one syntax node. Names and keys are
changed, sentences (strings with a space) emptied. Docstrings, annotations, type aliases,
decorators, imports, `strict=` of zip and the parts of f-strings are left alone.
"""

import ast
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

TYPING = {
    "Callable",
    "Final",
    "Generator",
    "Iterable",
    "Iterator",
    "Literal",
    "Mapping",
    "Sequence",
}
TYPING_CALLS = {"cast", "TypeVar", "NewType"}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


class Mutation(NamedTuple):
    """One edit: which bytes of the file to replace, and by what."""

    line: int
    start: int
    end: int
    text: bytes
    what: str

    def apply(self, source: bytes) -> bytes:
        return source[: self.start] + self.text + source[self.end :]


def mutations(source: bytes) -> list[Mutation]:
    """Every mutation of a file that still compiles, in the order of the text."""
    starts = _line_starts(source)
    found = [
        Mutation(node.lineno, *_span(node, starts), text.encode(), what)
        for node in _nodes(ast.parse(source))
        for text, what in _edits(node)
    ]
    return sorted({each for each in found if _compiles(each.apply(source))})


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _line_starts(source: bytes) -> list[int]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _span(node: ast.expr | ast.stmt, starts: list[int]) -> tuple[int, int]:
    """A node's first byte and the byte after its last; columns are already bytes."""
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return starts[node.lineno - 1] + node.col_offset, starts[end_line - 1] + end_column


def _nodes(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """The nodes that may be changed, depth first."""
    if _is_typing(node):
        return
    if isinstance(node, ast.expr | ast.stmt):
        yield node
    if isinstance(node, ast.JoinedStr):  # positions inside f-strings are not exact in 3.11
        return
    for child in _children(node):
        yield from _nodes(child)


def _is_typing(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom) or _is_union(node):
        return True
    if isinstance(node, ast.keyword):
        return node.arg == "strict"
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id in TYPING
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in TYPING_CALLS
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _is_union(node: ast.AST) -> bool:
    """A type alias such as `Reading = QueueReading | AgentsReading`."""
    return (
        isinstance(node, ast.Assign)
        and ast.unparse(node.value).replace(" | ", "").isalpha()
        and (isinstance(node.value, ast.BinOp))
    )


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases"):
            continue
        children = value if isinstance(value, list) else [value]
        yield from (each for each in children if isinstance(each, ast.AST) and not _is_doc(each))


def _is_doc(node: ast.AST) -> bool:
    """A docstring, or a string as a statement."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _edits(node: ast.expr | ast.stmt) -> Iterator[tuple[str, str]]:
    """New text for a node, and what was done."""
    edit = EDITS.get(type(node))
    if edit is not None:
        yield from edit(node)


def _comparison(node: ast.Compare) -> Iterator[tuple[str, str]]:
    for n, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            ops = [*node.ops[:n], other(), *node.ops[n + 1 :]]
            yield f"({ast.unparse(ast.Compare(node.left, ops, node.comparators))})", "comparison"


def _arithmetic(node: ast.BinOp) -> Iterator[tuple[str, str]]:
    other = ARITHMETIC.get(type(node.op))
    if other is not None:
        yield f"({ast.unparse(ast.BinOp(node.left, other(), node.right))})", "arithmetic"


def _boolean(node: ast.BoolOp) -> Iterator[tuple[str, str]]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield f"({ast.unparse(ast.BoolOp(other, node.values))})", "and/or"


def _unary(node: ast.UnaryOp) -> Iterator[tuple[str, str]]:
    yield f"({ast.unparse(node.operand)})", "sign or negation dropped"


def _constant(node: ast.Constant) -> Iterator[tuple[str, str]]:
    if isinstance(node.value, bool):
        yield repr(not node.value), "boolean flipped"
    elif isinstance(node.value, int | float):
        yield repr(node.value + 1), "number + 1"
    elif isinstance(node.value, str) and " " in node.value.strip():
        yield '""', "sentence emptied"
    elif isinstance(node.value, str | bytes):
        changed = node.value + (b"XX" if isinstance(node.value, bytes) else "XX")
        yield repr(changed), "string changed"


def _f_string(node: ast.JoinedStr) -> Iterator[tuple[str, str]]:
    yield '"XX"', "f-string replaced"


def _choice(node: ast.IfExp) -> Iterator[tuple[str, str]]:
    yield f"({ast.unparse(ast.IfExp(node.test, node.orelse, node.body))})", "branches swapped"


def _mapping(node: ast.Dict) -> Iterator[tuple[str, str]]:
    """Each two neighbouring keys exchange their values."""
    for n, (one, other) in enumerate(pairwise(node.values)):
        values = [*node.values[:n], other, one, *node.values[n + 2 :]]
        yield ast.unparse(ast.Dict(node.keys, values)), "two keys' values swapped"


def _returned(node: ast.Return) -> Iterator[tuple[str, str]]:
    if node.value is not None and ast.unparse(node.value) != "None":
        yield "return None", "return removed"


def _statement(node: ast.stmt) -> Iterator[tuple[str, str]]:
    yield "pass", "statement removed"


def _augmented(node: ast.AugAssign) -> Iterator[tuple[str, str]]:
    yield "pass", "statement removed"
    other = ARITHMETIC.get(type(node.op))
    if other is not None:
        yield ast.unparse(ast.AugAssign(node.target, other(), node.value)), "arithmetic"


def _jump(node: ast.stmt) -> Iterator[tuple[str, str]]:
    yield ("break" if isinstance(node, ast.Continue) else "continue"), "jump"


EDITS: dict[type[ast.AST], Callable[..., Iterator[tuple[str, str]]]] = {
    ast.Compare: _comparison,
    ast.BinOp: _arithmetic,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.JoinedStr: _f_string,
    ast.IfExp: _choice,
    ast.Dict: _mapping,
    ast.Return: _returned,
    ast.Expr: _statement,
    ast.AugAssign: _augmented,
    ast.Break: _jump,
    ast.Continue: _jump,
}
