# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules run with the Python of the host, 3.8 or newer. What the gate `vermin` cannot see of that is here."""

from __future__ import annotations

import ast

import pytest

from tests.unit.collection import ROOT

OLDEST = (3, 8)
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("plugins/modules", "plugins/module_utils")
    for path in (ROOT / folder).rglob("*.py")
)
GENERICS = {"dict", "frozenset", "list", "set", "tuple", "type"}
TYPES = {"bool", "bytes", "float", "int", "str", *GENERICS}

by_file = pytest.mark.parametrize("path", FILES)


def parsed(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"), path, feature_version=OLDEST)


def evaluated(tree: ast.AST) -> list[ast.AST]:
    """All nodes but annotations, which are mere text with `from __future__ import annotations`."""
    found: list[ast.AST] = [tree]
    for name, value in ast.iter_fields(tree):
        if name not in ("annotation", "returns"):
            children = value if isinstance(value, list) else [value]
            found += [node for child in children if isinstance(child, ast.AST) for node in evaluated(child)]
    return found


def test_there_are_files() -> None:
    assert FILES


@by_file
def test_the_syntax_is_old_enough(path: str) -> None:
    parsed(path)


@by_file
def test_annotations_are_not_evaluated(path: str) -> None:
    body = [statement for statement in parsed(path).body if not isinstance(statement, ast.Expr)]
    lines = [ast.unparse(statement) for statement in body]
    assert not lines or lines[0] == "from __future__ import annotations", f"{path}: begin with that import"


@by_file
def test_types_that_are_evaluated_are_old_enough(path: str) -> None:
    for node in evaluated(parsed(path)):
        if isinstance(node, ast.Subscript):
            assert ast.unparse(node.value) not in GENERICS, (
                f"{path}:{node.lineno}: {ast.unparse(node)} needs Python 3.9 outside annotations: use typing"
            )
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            sides = {ast.unparse(node.left), ast.unparse(node.right)}
            assert not sides & {*TYPES, "None"}, (
                f"{path}:{node.lineno}: {ast.unparse(node)} needs Python 3.10 outside annotations: use typing"
            )
