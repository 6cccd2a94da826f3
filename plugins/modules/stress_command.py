#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stress_command
short_description: Run a command as a stress test, with a time limit and a log that is read
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Runs a command, commonly an import, in a process group of its own, writes all its output to a log, and counts the
    lines of that by declared patterns. Run it with C(async), and M(midi.capacity.pg_stress_watch) meanwhile.
  - An exit status that is not 0 is a result and no failure.
  - Nothing goes on alone. The group is ended at the time limit, and when nobody watches any more.
options:
  command:
    description:
      - The program and its arguments as a list, or a text, which C(/bin/sh -c) runs.
      - It is refused if it has a password in it, because everybody on the host sees the arguments of processes.
    type: raw
    required: true
  chdir:
    description:
      - The directory that it is run in. Without it that of the account.
    type: path
  environment:
    description:
      - Variables for it, beside those that there are.
      - Values whose names speak of passwords, secrets, tokens or keys, and the passwords in addresses, are shown
        nowhere.
    type: dict
    default: {}
  directory:
    description:
      - The directory of this run, which is there already; all that the run leaves is in it. A file C(lock) beside it
        keeps two runs apart.
      - It is needed whenever something is run.
    type: path
  account:
    description:
      - The account that it runs as, and that may read its log. It takes root to run as another one than one's own,
        which it is without this. With C(async) many hosts let Ansible become root, and no other account.
    type: str
  limit_seconds:
    description:
      - How long it may take. Then its whole process group is ended, with SIGTERM and 10 seconds later with SIGKILL.
    type: int
    default: 14400
  patience_seconds:
    description:
      - It begins when M(midi.capacity.pg_stress_watch) watches, and fails if that does not within this time.
      - After how long without M(midi.capacity.pg_stress_watch) it is ended likewise, because whoever wanted it is gone.
    type: int
    default: 60
  patterns:
    description:
      - What the lines of its log mean. Each has C(name), C(regex), which is searched for in the line, and C(kind), one
        of V(error), V(warning), V(progress) and V(ignore). A line belongs to the first pattern that it matches.
      - A group C(files) in the regex of a C(progress) is the number of files until now, a group C(files_per_second)
        the command's own figure for that.
    type: list
    elements: dict
    default: []
attributes:
  check_mode:
    description: Checks that the command can be run, and does not run it.
    support: full
  diff_mode:
    description: What a command does is not known before.
    support: none
seealso:
  - module: midi.capacity.pg_stress_import
  - module: midi.capacity.pg_stress_watch
"""

EXAMPLES = r"""
- name: Run an import as a stress test
  midi.capacity.stress_command:
    command: [./scripts/run-pipeline.sh, --workers, "32"]
    chdir: /srv/midi
    environment:
      DATABASE_URL: "{{ vault_database_url }}"
    directory: /var/lib/midi-capacity/stress/20261128T070000Z
    patterns:
      - name: deadlock
        regex: deadlock detected
        kind: error
      - name: imported
        regex: 'imported (?P<files>\d+) files'
        kind: progress
  async: 14700
  poll: 0
"""

RETURN = r"""
command:
  description: The command on one line.
  returned: success
  type: str
  sample: ./scripts/run-pipeline.sh --workers 32
exit_status:
  description: The exit status, null if a signal ended it.
  returned: when it was run
  type: int
  sample: 0
signal:
  description: The signal that ended it, or null.
  returned: when it was run
  type: str
  sample: SIGTERM
ended_by:
  description: What ended it, V(itself), V(time limit), V(nobody watched) or V(request).
  returned: when it was run
  type: str
  sample: itself
left_running:
  description: Whether processes of its group still run.
  returned: when it was run
  type: bool
started_at:
  description: When it began, in UTC.
  returned: when it was run
  type: str
  sample: "2026-11-28T07:00:00.000Z"
elapsed_seconds:
  description: How long it took.
  returned: when it was run
  type: float
  sample: 219.7
log:
  description: What it wrote.
  returned: when it was run
  type: dict
  contains:
    path:
      description: The file on the host, which only the account that ran it may read.
      type: str
    bytes:
      description: Its size.
      type: int
    lines:
      description: How many lines it has that are not empty.
      type: int
    errors:
      description: How many lines belong to patterns of that kind.
      type: int
    warnings:
      description: How many lines belong to patterns of that kind.
      type: int
    unmatched:
      description: How many lines belong to no pattern.
      type: int
    unmatched_examples:
      description: The first of these, shortened and masked.
      type: list
      elements: str
    files:
      description: The largest number of files that a pattern found, or null.
      type: int
    files_per_second:
      description: The last figure that a pattern found, or null.
      type: float
    patterns:
      description: Every pattern with C(name), C(kind), C(lines) and C(examples), the first lines, shortened and masked.
      type: list
      elements: dict
"""

import os
import shutil

from ansible_collections.midi.capacity.plugins.module_utils import _stress_run
from ansible_collections.midi.capacity.plugins.module_utils._account import Account
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._stress import command

SPEC = ArgumentSpec(
    {
        "command": {"type": "raw", "required": True},
        "chdir": {"type": "path"},
        "environment": {"type": "dict", "default": {}},
    },
    secrets=lambda options: command.secrets(options["environment"] or {}),
)


def check(options):
    """The words to run. Raises OperatorError when they cannot be."""
    environment = options["environment"]
    faults = command.problems(environment)
    if faults:
        raise OperatorError("the command's environment cannot be taken", items=faults)
    try:
        words = command.arguments(options["command"])
    except ValueError as error:
        raise OperatorError(f"the command cannot be taken: {error}") from None
    chdir = options["chdir"] or Account(options["account"]).home or os.curdir
    if not os.path.isdir(chdir):
        raise OperatorError("the directory to run the command in is not there", chdir, "correct it, or make it")
    # As the system looks for it: a name with a slash begins in the new directory.
    place = os.path.join(chdir, words[0]) if os.sep in words[0] else words[0]
    if shutil.which(place, path=environment.get("PATH", os.environ.get("PATH"))) is None:
        raise OperatorError("there is no such program, or this account may not run it", words[0], "correct its path")
    return words


def run(options, check_mode):
    words = check(options)
    _stress_run.check_limits(options)
    _stress_run.checked_patterns(options["patterns"])
    if check_mode:
        return {}
    if not options["directory"]:
        raise OperatorError("directory is needed to run something")
    environment = command.texts(options["environment"])

    def start(log, account):
        return _stress_run.Program(words, log, account, options["chdir"], environment)

    return _stress_run.run(start, options, command.secrets(environment))


def main():
    module = SPEC.merge(_stress_run.RUN_SPEC).create_module()
    try:
        result = run(module.params, module.check_mode)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=True, command=command.shown(module.params["command"]), **result)


if __name__ == "__main__":
    main()
