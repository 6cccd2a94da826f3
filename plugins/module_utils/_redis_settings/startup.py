# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server reads when it starts: its configuration file, what that includes, and its command line, in this order.

Of most settings the last line counts. CONFIG REWRITE writes into the first file only, and knows of nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterator, List, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import catalog, conf, values
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import SettingPlan

COMMAND_LINE = "the command line"
# Redis itself has no limit, and does not survive a file that includes itself.
_DEEPEST = 8
# Of these every line adds to those before.
_ADDING = ("client-output-buffer-limit", "save")

# A path or pattern -> the files, each with its path and its text; none for those that cannot be read.
Read = Callable[[str], Sequence[Tuple[str, str]]]


@dataclass(frozen=True)
class Line:
    """A setting as something gives it. own: in the file that CONFIG REWRITE writes."""

    name: str
    value: str
    place: str
    own: bool = False

    @property
    def remedy(self) -> str:
        text = f"{self.name} {self.value}".strip()
        if self.place != COMMAND_LINE:
            return f'take "{text}" out of {self.place}'
        return (
            f'take "--{text}" out of the command that starts the server (systemd: ExecStart; Docker: the container\'s'
            " command, in its compose file)"
        )


@dataclass(frozen=True)
class Override:
    """A line that will count instead of the wanted value when the server is started again."""

    name: str
    by: str
    value: str
    wanted: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name} is {self.value} by {self.by}, wanted {self.wanted}: {self.remedy}"


def lines(config_file: str, arguments: Sequence[str], read: Read) -> List[Line]:
    """Every line that gives a setting, in the order in which the server takes them.

    arguments: the command that started the server, as far as it is known.
    """
    return [*_of_file(config_file, read, own=True, depth=0), *_of_command(arguments)]


def overrides(plans: Sequence[SettingPlan], found: Sequence[Line], written: bool) -> List[Override]:
    """The lines that beat what is wanted, of each setting one.

    written: whether CONFIG REWRITE has been there. Before, this tells what will be when it has.
    """
    candidates = [(plan, _beating(plan, found, written)) for plan in plans]
    return [
        Override(plan.name, line.place, line.value or '""', values.rendered(plan.name, plan.desired), line.remedy)
        for plan, line in candidates
        if line is not None
    ]


def _beating(plan: SettingPlan, found: Sequence[Line], written: bool) -> Optional[Line]:
    name = catalog.one_name(plan.name)
    same = [line for line in found if catalog.one_name(line.name) == name]
    own = [at for at, line in enumerate(same) if line.own]
    files = sum(line.place != COMMAND_LINE for line in same)
    # The value is written where its first line is, or at the end of the file; a default, which this cannot tell, is
    # not written where no line is.
    start = own[0] if own else (0 if written else files)
    later = [line for line in same[start:] if not line.own]
    if name in _ADDING:
        earlier = [line for line in same[:start] if not line.own and line.value] if name == "save" else []
        return next((line for line in [*earlier, *later] if not _gives(line, plan)), None)
    return later[-1] if later and not _gives(later[-1], plan) else None


def _gives(line: Line, plan: SettingPlan) -> bool:
    try:
        return values.same(plan.name, values.canonical(plan.name, line.value, plan.desired, False), plan.desired)
    except values.InvalidValue:
        return False


def _of_file(path: str, read: Read, own: bool, depth: int) -> Iterator[Line]:
    for place, text in read(path) if depth <= _DEEPEST else ():
        for number, words in enumerate(map(conf.words, text.splitlines()), start=1):
            if len(words) > 1 and words[0].lower() == "include":
                yield from _of_file(words[1], read, False, depth + 1)
            elif len(words) > 1:
                yield Line(words[0].lower(), " ".join(words[1:]), f"{place} line {number}", own)


def _of_command(arguments: Sequence[str]) -> Iterator[Line]:
    name = ""
    words: List[str] = []
    # The first is the program, and the second may be its configuration file.
    for argument in [*arguments[1:], "--"]:
        if not argument.startswith("--"):
            words.append(argument)
            continue
        if name:
            yield Line(name, " ".join(words).strip(), COMMAND_LINE)
        name, words = argument[2:].lower(), []
