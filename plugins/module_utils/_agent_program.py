# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's program on a host: our own modules that it needs, in a directory that is named by what is in it.

A module that runs under Ansible has all that it imports at hand, as files or in a zip. Copies of that, and nothing
else, are the program. A version is written beside its place and moved there whole, and it keeps a list of its files
with their digests, by which damage is seen.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import json
import os
import py_compile
import re
import shutil
import stat
import subprocess
import sys

from ansible_collections.midi.capacity.plugins.module_utils import _agent_cli
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._private_file import sync
from ansible_collections.midi.capacity.plugins.module_utils._started import ended

DIRECTORY_MODE, FILE_MODE, COMMAND_MODE = 0o755, 0o644, 0o755
_ENTRY = _agent_cli.__name__
_OURS = _ENTRY.rpartition(".")[0] + "."
_LIST = "files.json"
_VERSION = re.compile(r"[0-9a-f]{16}\Z")
# What a run that was cut off left: one that is not whole yet, and one that was taken away.
_UNFINISHED, _DAMAGED = ".new-", ".old-"
_TRIAL_SECONDS = 60
# Linux cuts the first line of a script there, or refuses it, up to 5.0.
_LONGEST_FIRST_LINE = 127


class Program:
    """One version, and its place below a prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._sources = closure()
        self.version = _version(self._sources)
        self.directory = os.path.join(prefix, self.version)

    def faults(self) -> list | None:
        """The files that are missing, changed or too many; None where this version is not there at all."""
        if not os.path.isdir(self.directory):
            return None
        listed = self._listed()
        found = dict(_digests(self.directory))
        wrong = {name for name in set(listed) | set(found) if listed.get(name) != found.get(name)}
        for name, content in self._sources.items():
            if listed.get(name) != _digest(content):
                wrong.add(name)
        return sorted(wrong | {name for name in map(_compiled, self._sources) if name not in listed})

    def others(self, current: str | None) -> tuple:
        """The version to keep beside this one, or None, and what can go: older ones and what was left unfinished.

        current: the version that the command starts.
        """
        try:
            names = sorted(os.listdir(self._prefix))
        except FileNotFoundError:
            return None, []
        older = [name for name in names if _VERSION.match(name) and name != self.version]
        kept = current if current in older else max(older, key=self._made_at, default=None)
        left = [name for name in names if name.startswith((_UNFINISHED, _DAMAGED))]
        return kept, [os.path.join(self._prefix, name) for name in [*older, *left] if name != kept]

    def install(self) -> None:
        """Have this version, whole. Raises OSError."""
        unfinished = os.path.join(self._prefix, f"{_UNFINISHED}{self.version}")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            self._write(unfinished)
            if os.path.lexists(self.directory):
                damaged = os.path.join(self._prefix, f"{_DAMAGED}{self.version}")
                shutil.rmtree(damaged, ignore_errors=True)
                os.rename(self.directory, damaged)
                os.rename(unfinished, self.directory)
                shutil.rmtree(damaged)
            else:
                os.rename(unfinished, self.directory)
            sync(self._prefix)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def launcher(self, config: str) -> str:
        """The text of the command. -I: neither the environment nor the directory has a say in what is imported."""
        return (
            f"#!{sys.executable} -I\n"
            "# Written by midi.capacity, module capacity_agent, and written again when it differs.\n"
            "import sys\n\n"
            "sys.dont_write_bytecode = True\n"
            f"sys.path.insert(0, {self.directory!r})\n"
            f"from {_ENTRY} import main\n\n"
            f"sys.exit(main(sys.argv[1:], {config!r}))\n"
        )

    def try_launcher(self, path: str) -> None:
        """Raises OperatorError where the program does not even start."""
        command = [path, "--help"]
        try:
            status, said, complaint = ended(command, _TRIAL_SECONDS, cwd="/")
        except (OSError, subprocess.SubprocessError) as error:
            raise _does_not_start(path, str(error)) from None
        if status:
            raise _does_not_start(path, (said + complaint).strip())

    def _made_at(self, name: str) -> float:
        return os.lstat(os.path.join(self._prefix, name)).st_mtime

    def _listed(self) -> dict:
        try:
            with open(os.path.join(self.directory, _LIST), encoding="utf-8") as file:
                listed = json.load(file)
        except (OSError, ValueError):
            return {}
        return listed if isinstance(listed, dict) else {}

    def _write(self, directory: str) -> None:
        # A start that is cut off leaves nothing that others may write to, whatever the umask.
        os.mkdir(directory, DIRECTORY_MODE)
        os.chmod(directory, DIRECTORY_MODE)
        for name, content in self._sources.items():
            path = os.path.join(directory, name)
            _make_directories(directory, os.path.dirname(name))
            _write(path, content)
            compiled = os.path.join(directory, _compiled(name))
            _make_directories(directory, os.path.dirname(_compiled(name)))
            # By hash, because times of files change when a host is copied.
            py_compile.compile(
                path,
                cfile=compiled,
                dfile=os.path.join(self.directory, name),
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
            )
            os.chmod(compiled, FILE_MODE)
            sync(compiled)
        listed = json.dumps(dict(_digests(directory)), indent=1, sort_keys=True) + "\n"
        _write(os.path.join(directory, _LIST), listed.encode())


def version_of(launcher: str, prefix: str) -> str | None:
    """The version below this prefix that a command starts, by its text."""
    found = re.search(r"sys\.path\.insert\(0, '([^']+)'\)", launcher)
    return os.path.basename(found[1]) if found and os.path.dirname(found[1]) == prefix else None


def config_of(launcher: str) -> str | None:
    """The configuration that a command uses, by its text; None where it is no command of ours."""
    found = re.search(r"^sys\.exit\(main\(sys\.argv\[1:\], '([^']+)'\)\)$", launcher, re.MULTILINE)
    return found[1] if found else None


def installed(prefix: str) -> list:
    """Everything below the prefix that is a version or was to be one."""
    try:
        names = sorted(os.listdir(prefix))
    except FileNotFoundError:
        return []
    ours = [name for name in names if _VERSION.match(name) or name.startswith((_UNFINISHED, _DAMAGED))]
    return [os.path.join(prefix, name) for name in ours]


def remove_tree(path: str) -> None:
    """A version of the program, or what is left of one. Raises OSError."""
    if stat.S_ISDIR(os.lstat(path).st_mode):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def python_problems() -> list:
    """Why a command cannot begin with this Python, if so."""
    first = f"#!{sys.executable} -I\n"
    if re.search(r"\s", sys.executable) or len(first.encode()) > _LONGEST_FIRST_LINE:
        return [f"Python's path is too long for the first line of a script, or has a space: {sys.executable}"]
    return []


def closure(entry: str = _ENTRY) -> dict:
    """Content by path: the entry, all modules of ours that it imports, wherever in their code, and their packages."""
    found: dict = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in found or not name.startswith(_OURS):
            continue
        spec = _spec(name)
        if spec is None:
            continue
        text = spec.loader.get_source(name) or ""
        found[name] = (spec.submodule_search_locations is not None, text)
        waiting += [name.rpartition(".")[0], *_imported(text)]
    files = {}
    for name, (is_package, text) in found.items():
        path = name.replace(".", "/")
        files[f"{path}/__init__.py" if is_package else f"{path}.py"] = text.encode()
    above = _OURS.rstrip(".").split(".")
    # With these, a package of the same name elsewhere in sys.path has no say.
    for depth in range(1, len(above) + 1):
        files["/".join([*above[:depth], "__init__.py"])] = b""
    return files


def _imported(text: str) -> list:
    names = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.startswith(_OURS)]


def _spec(name: str):
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:
        # It is no module, but something in one.
        return None


def _version(sources: dict) -> str:
    """Of another Python too, whose compiled files are others."""
    digest = hashlib.sha256(f"{sys.executable}\0{sys.version}\0".encode())
    for name, content in sorted(sources.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _compiled(name: str) -> str:
    return importlib.util.cache_from_source(name)


def _digests(directory: str):
    """Name and digest of every file below, but the list; what is not as we make it has another digest."""
    for place, directories, names in os.walk(directory):
        for name in [*directories, *names]:
            path = os.path.join(place, name)
            relative = os.path.relpath(path, directory)
            status = os.lstat(path)
            mode = stat.S_IMODE(status.st_mode)
            if stat.S_ISDIR(status.st_mode):
                if (mode, status.st_uid) != (DIRECTORY_MODE, os.geteuid()):
                    yield relative, "another owner or mode"
            elif not stat.S_ISREG(status.st_mode) or (mode, status.st_uid) != (FILE_MODE, os.geteuid()):
                yield relative, "another kind, owner or mode"
            elif relative != _LIST:
                with open(path, "rb") as file:
                    yield relative, _digest(file.read())


def _make_directories(top: str, below: str) -> None:
    path = top
    for name in below.split("/"):
        path = os.path.join(path, name)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
            os.chmod(path, DIRECTORY_MODE)


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        os.fchmod(file.fileno(), FILE_MODE)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _does_not_start(path: str, reason: str) -> OperatorError:
    remedy = f"try it: {sys.executable} is the Python that it is for. What was there before is as it was"
    return OperatorError(f"the agent does not start on this host: {reason}", path, remedy)
