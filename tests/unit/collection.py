# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own files as data, for the tests of what holds between them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "midi.capacity"
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
PLAYBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "playbooks").glob("*.yml"))
INVENTORIES = sorted(path.name for path in (ROOT / "inventories").glob("*") if path.is_dir())
SCENARIOS = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))

_USES_ROLE = ("ansible.builtin.include_role", "ansible.builtin.import_role")


@cache
def load(path: str) -> Any:
    """A YAML file, by its path in the checkout; None where there is no such file."""
    file = ROOT / path
    return yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None


def dicts(tree: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in it, at any depth: tasks, blocks, plays, and what is in them."""
    if isinstance(tree, dict):
        yield tree
    for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from dicts(child)


def texts(tree: Any) -> Iterator[str]:
    """Every key and every text in it, at any depth; comments are not among them."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield str(key)
            yield from texts(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from texts(value)


def entry_points(role: str) -> dict[str, dict[str, Any]]:
    """What argument_specs.yml says of each entry point of a role."""
    return (load(f"roles/{role}/meta/argument_specs.yml") or {}).get("argument_specs", {})


def options(role: str) -> dict[str, dict[str, Any]]:
    """The options of all entry points of a role."""
    entries = entry_points(role).values()
    return {name: option for entry in entries for name, option in (entry.get("options") or {}).items()}


def documented(role: str) -> str:
    """What a role's argument specs say in words."""
    return "\n".join(text for entry in entry_points(role).values() for text in texts(entry.get("description")))


def role_files(role: str, *folders: str) -> Iterator[tuple[str, str, Any]]:
    """Path, all text and (of YAML) the data of each file in these folders of a role."""
    for folder in folders:
        for file in sorted((ROOT / "roles" / role / folder).rglob("*")):
            if file.is_file():
                path = file.relative_to(ROOT).as_posix()
                data = load(path) if file.suffix == ".yml" else None
                text = file.read_text(encoding="utf-8") if data is None else "\n".join(texts(data))
                yield path, text, data


# What Ansible takes for an expression without braces around it.
_BARE = ("when", "that", "until", "changed_when", "failed_when")


def expressions(tree: Any) -> Iterator[str]:
    """Every Jinja expression and statement in it, without the texts in quotes, which name variables for people."""
    for text in texts(tree):
        for found in re.findall(r"\{\{(.*?)\}\}|\{%(.*?)%\}", text, flags=re.DOTALL):
            yield _unquoted("".join(found))
    for part in dicts(tree):
        for key in set(_BARE) & set(part):
            yield from map(_unquoted, texts(part[key]))


def _unquoted(expression: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"", "''", expression)


def owner(name: str) -> str | None:
    """The role whose variable this is by its name; `capacity` for those that roles share."""
    bare = name.lstrip("_")
    owners = [role for role in ROLES if bare == role or bare.startswith(f"{role}_")]
    return max(owners, key=len) if owners else "capacity" if bare.startswith("capacity_") else None


def names(text: str) -> set[str]:
    """The names of role variables and shared variables in a text; the bare name of a role is no variable."""
    found = re.findall(rf"(?<!\w)(?<!{re.escape(NAMESPACE)}\.)[a-z_][a-z0-9_]*", text)
    # What ends with an underscore is the beginning of several names, put together in Jinja or told to people.
    return {name for name in found if owner(name) and name not in ROLES and not name.endswith("_")}


def produced(tasks: Any) -> set[str]:
    """The variables that tasks themselves make."""
    made: set[str] = set()
    for task in dicts(tasks):
        made |= {task["register"]} if isinstance(task.get("register"), str) else set()
        facts = task.get("ansible.builtin.set_fact")
        made |= {name for name in facts if name != "cacheable"} if isinstance(facts, dict) else set()
        for key in ("loop_var", "index_var"):
            made |= {task[key]} if isinstance(task.get(key), str) else set()
    return made


def local(tasks: Any) -> set[str]:
    """The variables that tasks have for themselves; `vars` of include_role are the other role's, handed over."""
    own = [
        task["vars"] for task in dicts(tasks) if isinstance(task.get("vars"), dict) and not set(_USES_ROLE) & set(task)
    ]
    return {name for variables in own for name in variables}


def roles_run(playbook: Path) -> dict[str, dict[str, Any]]:
    """The roles that a playbook runs, itself or by importing playbooks, with the variables that it hands over."""
    found: dict[str, dict[str, Any]] = {}
    for part in dicts(yaml.safe_load(playbook.read_text(encoding="utf-8"))):
        for entry in part["roles"] if isinstance(part.get("roles"), list) else ():
            name = entry if isinstance(entry, str) else entry.get("role", entry.get("name", ""))
            found.setdefault(name, {}).update({} if isinstance(entry, str) else entry.get("vars", {}))
        for key in _USES_ROLE:
            if key in part:
                found.setdefault(part[key]["name"], {}).update(part.get("vars", {}))
        if "ansible.builtin.import_playbook" in part:
            for name, variables in roles_run(_imported(playbook, part["ansible.builtin.import_playbook"])).items():
                found.setdefault(name, {}).update(variables)
    return found


def entries_run(playbook: Path) -> list[tuple[str, str, set[str]]]:
    """Role, entry point, and the names of what it hands over, for each role that a playbook includes or imports."""
    tasks = [
        part for part in dicts(yaml.safe_load(playbook.read_text(encoding="utf-8"))) if set(_USES_ROLE) & set(part)
    ]
    uses = [(part[key], part.get("vars", {})) for part in tasks for key in _USES_ROLE if key in part]
    return [(use["name"], use.get("tasks_from", "main"), set(variables)) for use, variables in uses]


def _imported(playbook: Path, name: str) -> Path:
    if name.startswith(f"{NAMESPACE}."):
        return ROOT / "playbooks" / f"{name.removeprefix(f'{NAMESPACE}.')}.yml"
    return playbook.parent / name


def converge(scenario: str) -> Path:
    """The playbook that a molecule scenario converges with."""
    own = load(f"molecule/{scenario}/molecule.yml") or {}
    name = (own.get("ansible") or {}).get("playbooks", {}).get("converge", "converge.yml")
    return ROOT / "molecule" / scenario / name


def documentation(module: str) -> dict[str, Any]:
    """The DOCUMENTATION of a module, read without importing it."""
    for statement in ast.parse((ROOT / f"plugins/modules/{module}.py").read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "DOCUMENTATION":
            return yaml.safe_load(ast.literal_eval(statement.value))
    return {}


def inventory(name: str) -> dict[str, Any]:
    """All variables that an inventory sets, in whatever file and for whatever host or group."""
    found: dict[str, Any] = {}
    for file in sorted((ROOT / "inventories" / name).rglob("*.yml")):
        data = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        if file.parent.name in ("group_vars", "host_vars") or file.parent.parent.name in ("group_vars", "host_vars"):
            found.update(data)
            continue
        for part in dicts(data):
            if isinstance(part.get("vars"), dict):
                found.update(part["vars"])
            for host in (part.get("hosts") or {}).values() if isinstance(part.get("hosts"), dict) else ():
                found.update(host or {})
    return found
