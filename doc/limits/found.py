"""
Finds the containers of the code that live longer than a call.

A container is a dictionary, list, set, deque, byte array or cache that is

- an attribute of an instance, wherever it is assigned,
- a field of a mutable struct or data class,
- at module level, unless it is a constant: a literal that is not empty.

Frozen structs are values: they live as long as the container that they are in.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

#: Doubles for tests are no part of a server or client.
_OUTSIDE = "testing"

_CONTAINERS = frozenset(
    (
        "ChainMap",
        "Counter",
        "OrderedDict",
        "Queue",
        "SimpleQueue",
        "WeakKeyDictionary",
        "WeakSet",
        "WeakValueDictionary",
        "array",
        "bytearray",
        "cache",
        "defaultdict",
        "deque",
        "dict",
        "frozenset",
        "list",
        "lru_cache",
        "set",
        "sorted",
    )
)
#: A literal or a comprehension.
_DISPLAYS = (
    ast.Dict,
    ast.DictComp,
    ast.List,
    ast.ListComp,
    ast.Set,
    ast.SetComp,
)

Assignment = ast.Assign | ast.AnnAssign


def containers(package: Path) -> list[str]:
    """
    List all containers, as ``broker.stats.BrokerStats.gauges``.

    :param package: the folder of the package, which its names are relative to.
    """
    found: set[str] = set()
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package)
        if not inside.as_posix().startswith(_OUTSIDE):
            parts = [*inside.parts[:-1], inside.stem]
            module = ".".join(part for part in parts if part != "__init__")
            found.update(in_module(ast.parse(path.read_text()), module))
    return sorted(found)


def in_module(tree: ast.Module, module: str) -> Iterator[str]:
    """Give the containers of one module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _in_class(node, f"{module}.{node.name}")
        elif isinstance(node, ast.FunctionDef):
            if any(_is_cache(each) for each in node.decorator_list):
                yield f"{module}.{node.name}"
    for node in tree.body:
        if isinstance(node, Assignment) and not _is_constant(node):
            if _holds(node):
                yield from (f"{module}.{name}" for name in _names(node, ast.Name))


def _in_class(node: ast.ClassDef, name: str) -> Iterator[str]:
    """Give the containers among the fields of a class and of its instances."""
    if not _is_value(node):
        for inner in node.body:
            if isinstance(inner, Assignment) and not _is_constant(inner):
                if _holds(inner):
                    yield from (f"{name}.{each}" for each in _names(inner, ast.Name))
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            for each in ast.walk(inner):
                if isinstance(each, Assignment) and _holds(each):
                    yield from (f"{name}.{a}" for a in _names(each, ast.Attribute))


def _names(node: Assignment, kind: type[ast.expr]) -> Iterator[str]:
    """Give the assigned names, or those of attributes of ``self``."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        for each in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(each, ast.Name) and kind is ast.Name:
                if not each.id.startswith("__"):
                    yield each.id
            elif isinstance(each, ast.Attribute) and kind is ast.Attribute:
                if isinstance(each.value, ast.Name) and each.value.id == "self":
                    yield each.attr


def _holds(node: Assignment) -> bool:
    """Whether the value, or its type, is a container."""
    if isinstance(node, ast.AnnAssign) and _is_container_type(node.annotation):
        return True
    return node.value is not None and _is_container(node.value)


def _is_container(value: ast.expr) -> bool:
    """Whether an expression makes a container."""
    if isinstance(value, ast.Call):
        made_by = value.func
        if any(each.arg == "default_factory" for each in value.keywords):
            return True
        if isinstance(made_by, ast.Call):  # lru_cache(maxsize=1)(function)
            return _is_cache(made_by)
        return _last_name(made_by) in _CONTAINERS
    if isinstance(value, ast.BoolOp):
        return any(_is_container(each) for each in value.values)
    if isinstance(value, ast.IfExp):
        return _is_container(value.body) or _is_container(value.orelse)
    return isinstance(value, _DISPLAYS)


def _is_cache(decorator: ast.expr) -> bool:
    """Whether a decorator keeps the results of a function."""
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    return _last_name(decorator) in ("cache", "cached_property", "lru_cache")


def _is_container_type(annotation: ast.expr) -> bool:
    """Whether an annotation is a container's, perhaps with None."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    if isinstance(annotation, ast.BinOp):
        return _is_container_type(annotation.left) or _is_container_type(
            annotation.right
        )
    if isinstance(annotation, ast.Subscript):
        name = _last_name(annotation.value)
        if name == "tuple":  # of any length
            inner = annotation.slice
            last = inner.elts[-1] if isinstance(inner, ast.Tuple) else inner
            return isinstance(last, ast.Constant) and last.value is Ellipsis
        return name in _CONTAINERS
    return _last_name(annotation) in _CONTAINERS


def _is_constant(node: Assignment) -> bool:
    """Whether a module or class has a literal that is not empty, or a type."""
    value = node.value
    if isinstance(value, ast.Dict):
        return bool(value.values)
    if isinstance(value, ast.List | ast.Set):
        return bool(value.elts)
    if isinstance(value, ast.Call) and _last_name(value.func) == "frozenset":
        return True
    annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
    is_class_var = annotation is not None and "ClassVar" in ast.unparse(annotation)
    is_tuple = isinstance(value, ast.Tuple) and bool(value.elts)
    is_power_table = isinstance(value, ast.ListComp | ast.DictComp | ast.SetComp)
    return is_class_var or is_tuple or is_power_table


def _is_value(node: ast.ClassDef) -> bool:
    """Whether a class is a frozen struct, or a tuple or dictionary with a type."""
    bases = {_last_name(base) for base in node.bases}
    is_frozen = any(each.arg == "frozen" for each in node.keywords)
    return is_frozen or bool(bases & {"NamedTuple", "TypedDict", "Protocol"})


def _last_name(node: ast.expr) -> str:
    """Return the last part of a dotted name; of a subscript, that of what it is of."""
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
