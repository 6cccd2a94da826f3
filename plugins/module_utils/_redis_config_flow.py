# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of module redis_config_file: read -> plan -> compare -> set live -> write, with and without check mode."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile

from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import (
    Cache,
    LoginRefused,
    NoPasswordFile,
    Unreachable,
)
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import conf, start
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import Facts
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_server import number, read_facts

# What stands in a new file may be a password one day.
_MODE = 0o640
# What restarts a server that does not take the login or the users as they are: it read them when it started.
_USERS = "users"


def converge(options: dict, check_mode: bool) -> dict:
    """Bring a configuration file to what the options of module redis_config_file say; gives the module's result."""
    path = options["path"]
    text = _read(path)
    with contextlib.ExitStack() as stack:
        cache, refused = _connect(options, text, check_mode)
        if cache:
            stack.callback(cache.close)
        info = cache.info() if cache else {}
        facts = read_facts(cache, info) if cache else None
        plan = _planned(text, options, facts)
        change = _compared(plan, path)
        before_path = ""
        if not check_mode:
            for name, value in plan.live.items():
                cache.config_set({name: value})
            if plan.text != text:
                before_path = _keep(path, text)
                _write(path, plan.text)
        return {
            "changed": change.changed,
            "diff": change.diff(),
            "running": bool(cache) or refused,
            "login_refused": refused,
            "set_live": list(plan.live),
            "restart_required": [_USERS] if refused else [*plan.restart, *_users(options["users_path"], info)],
            "before_path": before_path,
        }


def _users(path, info: dict) -> list:
    """Whether a server that runs has read another ACL file than the one that is there now.

    Which users it runs with it tells in words of its own, so the time decides: of its start in whole seconds, so that a
    file that came just before it counts as read. And of the file's inode, because a copy may keep the time of its text.
    """
    now_usec, uptime = number(info, "server_time_usec"), number(info, "uptime_in_seconds")
    if not path or now_usec is None or uptime is None:
        return []
    started = now_usec // 1_000_000 - uptime
    with contextlib.suppress(FileNotFoundError):
        return [_USERS] if int(os.stat(path).st_ctime) > started else []
    return []


def _planned(text, options: dict, facts: Facts | None) -> start.FilePlan:
    plan, problems = start.plan_file(text, options["settings"], options["initial"], facts)
    if plan is None:
        raise OperatorError(
            f"{len(problems)} of the settings cannot be taken; nothing was changed",
            options["path"],
            "correct them and run again",
            {"problems": problems},
            problems,
        )
    return plan


def _connect(options: dict, text, check_mode: bool) -> tuple:
    """The connection to the server that runs, or None; and whether it runs and does not take the login."""
    port = conf.value_of(text or "", "port") or ""
    # It may still listen where the file has it listen until now.
    earlier = [{"login_port": int(port)}] if port.isdigit() and int(port) and not options["login_unix_socket"] else []
    for place in [{}, *earlier]:
        try:
            return Cache.connect({**options, **place}), False
        except LoginRefused:
            return None, True
        except Unreachable:
            continue
        except NoPasswordFile:
            # Before the first run nobody has made it.
            if not check_mode:
                raise
    return None, False


def _compared(plan: start.FilePlan, path: str) -> Change:
    change = Change(path)
    for found in plan.settings:
        line = "\n".join(conf.rows(found.name, found.desired)).partition(" ")[2].replace(f"\n{found.name}", "")
        before = found.before
        if before is not None and conf.rows(found.name, before) == conf.rows(found.name, found.desired):
            before = line
        change.add(found.name, before, line)
    return change


def _read(path: str):
    """The text of the file, or None where there is none."""
    try:
        # The directory may be the server's: a link that it puts there must not lead root elsewhere.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OperatorError(
            f"the configuration file cannot be read: {error.strerror}",
            path,
            "name the file itself, and no link to it; and run the task as an account that may read it",
        ) from None
    with open(descriptor, encoding="utf-8", errors="surrogateescape") as opened:
        return opened.read()


def _keep(path: str, text) -> str:
    """Keep the text that is replaced beside the file; gives where, or nothing for a new file."""
    if text is None:
        return ""
    _write(f"{path}.before", text, like=path)
    return f"{path}.before"


def _write(path: str, text: str, like: str = "") -> None:
    """Make the file anew in its place. A new one belongs to whom its directory belongs to."""
    directory = os.path.dirname(path)
    temporary = ""
    try:
        owner, mode = _owner_and_mode(like or path, directory)
        descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=f".{os.path.basename(path)}.")
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
            os.fchown(opened.fileno(), owner.st_uid, owner.st_gid)
            os.fchmod(opened.fileno(), mode)
        os.rename(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise OperatorError(
            f"the configuration file cannot be written: {error.strerror}",
            path,
            "see that its directory exists, has room, and may be written by the account that runs the task",
        ) from None


def _owner_and_mode(path: str, directory: str) -> tuple:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return os.stat(directory), _MODE
    return found, stat.S_IMODE(found.st_mode)
