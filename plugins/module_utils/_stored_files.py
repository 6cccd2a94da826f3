# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents as files: what is in a directory, and how it gets there, whole or not at all."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import shutil
import stat
import time

from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._private_file import write_new

ABOVE_MODE = 0o755


def read(options: dict) -> dict:
    """What module stored_files_info returns for its options. Raises OperatorError where something cannot be read."""
    directory, ending = options["directory"], options["ending"]
    _refuse_relative([directory])
    if options["name"] and os.path.basename(options["name"]) != options["name"]:
        raise OperatorError("name has to be that of a file in the directory", options["name"], "leave out the path")
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(ending) and not name.startswith("."))
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise _failed("the directory cannot be read", directory, error) from None
    name = options["name"] or (names[-1] if names and options["last"] else None)
    path = name and os.path.join(directory, name)
    content = path and _content(path)
    return {
        "names": names,
        "path": None if content is None else path,
        "content": None if content is None else base64.b64encode(content).decode(),
    }


def converge(directories: list, files: list, check_mode: bool) -> dict:
    """Have directories (path, mode) and files (path, content, mode, backup); gives the result of module stored_files.

    Raises OperatorError before anything is touched where a path or a mode is none, and with no file replaced where one
    of them cannot be written.
    """
    everything = directories + files
    _refuse_relative([item["path"] for item in everything])
    modes = {item["path"]: _mode(item["mode"], item["path"]) for item in everything}
    change = Change("stored files")
    for item in directories:
        change.add(item["path"], _directory_now(item["path"]), f"directory, mode {modes[item['path']]:04o}")
    for item in files:
        wanted = item["content"].encode()
        change.add(item["path"], _file_now(item["path"]), _described(wanted, modes[item["path"]]))
    backups: dict = {}
    if not check_mode:
        for item in directories:
            _have_directory(item["path"], modes[item["path"]])
        backups = _have_files(files, modes)
    return {
        "changed": change.changed,
        "diff": change.diff(),
        "changed_paths": change.differing(),
        "backups": backups,
    }


def _refuse_relative(paths: list) -> None:
    for path in paths:
        if not os.path.isabs(path):
            raise OperatorError("the path has to be an absolute one", path, "begin it with /")


def _mode(text: str, path: str) -> int:
    if not re.match(r"[0-7]{3,4}\Z", text):
        raise OperatorError(f"mode {text!r} are no permissions in octal", path, 'write them as in "0640"')
    return int(text, 8)


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed("the file cannot be read", path, error) from None


def _described(content: bytes, mode: int) -> str:
    digest = hashlib.sha256(content).hexdigest()[:12]
    return f"{len(content)} bytes, SHA-256 {digest}…, mode {mode:04o}"


def _mode_now(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed("it cannot be looked at", path, error) from None


def _directory_now(path: str) -> str | None:
    mode = _mode_now(path)
    if mode is not None and not stat.S_ISDIR(mode):
        raise OperatorError("a directory is wanted, and there is something else", path, "move that out of the way")
    return mode if mode is None else f"directory, mode {stat.S_IMODE(mode):04o}"


def _file_now(path: str) -> str | None:
    mode = _mode_now(path)
    if mode is None:
        return None
    if not stat.S_ISREG(mode):
        raise OperatorError("a file is wanted, and there is something else", path, "move that out of the way")
    return _described(_content(path) or b"", stat.S_IMODE(mode))


def _have_directory(path: str, mode: int) -> None:
    try:
        if not os.path.isdir(path):
            os.makedirs(path, ABOVE_MODE)
        if stat.S_IMODE(os.stat(path).st_mode) != mode:
            os.chmod(path, mode)
    except OSError as error:
        raise _failed("the directory cannot be made", path, error) from None


def _have_files(files: list, modes: dict) -> dict:
    """Write those with another content beside their places, then move them there; gives where the old ones are kept."""
    unfinished: dict = {}
    backups = {}
    try:
        for item in files:
            content = item["content"].encode()
            if _content(item["path"]) != content:
                unfinished[item["path"]] = _written(f"{item['path']}.{os.getpid()}.new", content)
        for item in files:
            path, mode = item["path"], modes[item["path"]]
            if path in unfinished:
                os.chmod(unfinished[path], mode)
                if item["backup"] and os.path.exists(path):
                    backups[path] = _kept(path)
                os.rename(unfinished.pop(path), path)
            elif stat.S_IMODE(os.stat(path).st_mode) != mode:
                os.chmod(path, mode)
    except OSError as error:
        raise _failed("the file cannot be written", error.filename or "", error) from None
    finally:
        for path in unfinished.values():
            with contextlib.suppress(OSError):
                os.unlink(path)
    return backups


def _written(path: str, content: bytes) -> str:
    """Private until it is whole. The process' number is in its name, so what has it was left by one that is gone."""
    try:
        write_new(path, content)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(path)
        # A full disk names no file.
        raise OSError(error.errno, error.strerror, path) from None
    return path


def _kept(path: str) -> str:
    """A copy under the name that Ansible's own modules give one."""
    kept = f"{path}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S~')}"
    shutil.copy2(path, kept)
    return kept


def _failed(what: str, where: str, error: OSError) -> OperatorError:
    return OperatorError(
        f"{what}: {error.strerror}",
        where,
        "see that its directory exists and has room, and that the account of this task may use it",
    )
