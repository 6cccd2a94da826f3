#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_stress_import
short_description: Import synthetic files into a MIDI library by several connections, or remove them again
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Writes files of a synthetic library with their tags and musical metadata into the tables C(files), C(file_tags) and
    C(musical_metadata), 100 files in a transaction, as an import of the MIDI library does. Run it with C(async), and
    M(midi.capacity.pg_stress_watch) meanwhile.
  - All that it writes hangs on rows of C(files) whose C(filepath) begins with C(/midi-capacity-stress/);
    O(state=absent) removes them.
  - It does not ask whether the database may be stressed; M(midi.capacity.pg_stress_guard_info) does.
extends_documentation_fragment:
  - midi.capacity.postgres
options:
  state:
    description:
      - V(present) imports. V(absent) removes what any run has imported.
    type: str
    choices: [present, absent]
    default: present
  files:
    description:
      - How many files to import.
    type: int
    default: 20000
  workers:
    description:
      - How many processes import, each over a connection of its own.
    type: int
    default: 8
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
    description: Imports nothing, and counts what would be removed.
    support: full
  diff_mode:
    description: Shows the number of imported files before and after O(state=absent).
    support: partial
seealso:
  - module: midi.capacity.pg_stress_guard_info
  - module: midi.capacity.pg_stress_watch
  - module: midi.capacity.stress_command
"""

EXAMPLES = r"""
- name: Import 50,000 files by 32 connections
  midi.capacity.pg_stress_import:
    login_db: midi_library
    files: 50000
    workers: 32
    directory: /var/lib/midi-capacity/stress/20261128T070000Z
  async: 14700
  poll: 0

- name: Remove them again
  midi.capacity.pg_stress_import:
    login_db: midi_library
    state: absent
"""

RETURN = r"""
command:
  description: What was run, in words.
  returned: with O(state=present)
  type: str
  sample: the built-in importer, 50,000 files by 32 connections
removed_files:
  description: How many files were removed, or in check mode would be.
  returned: with O(state=absent)
  type: int
  sample: 50000
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

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres, _stress_import, _stress_run
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._report import human

SPEC = ArgumentSpec(
    {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "files": {"type": "int", "default": 20000},
        "workers": {"type": "int", "default": 8},
    }
)


def present(options, check_mode):
    for name in ("files", "workers"):
        if options[name] < 1:
            raise OperatorError(f"{name} must be 1 or more")
    files, workers = human.count(options["files"]), human.count(options["workers"])
    result = {"changed": True, "command": f"the built-in importer, {files} files by {workers} connections"}
    _stress_run.check_limits(options)
    _stress_run.checked_patterns(options["patterns"])
    if check_mode:
        return result
    if not options["directory"]:
        raise OperatorError("directory is needed to run something")
    importing = {**options, "run": os.path.basename(options["directory"])}

    def start(log, account):
        return _stress_run.Function(lambda: _stress_import.imported(importing), log, account)

    return {**result, **_stress_run.run(start, options, [options["login_password"] or ""])}


def absent(options, check_mode):
    server = _postgres.Server.connect(options)
    try:
        ids = _stress_import.marked(server)
        change = Change("files of stress tests")
        change.add("files", str(len(ids)), "0")
        if change.changed and not check_mode:
            _stress_import.remove(server, ids)
            left = len(_stress_import.marked(server))
            if left:
                raise OperatorError(
                    f"{left} imported files are there again", server.where, "wait until no import runs, then run again"
                )
        return {"changed": change.changed, "removed_files": len(ids), "diff": change.diff()}
    finally:
        server.close()


def main():
    module = _postgres.POSTGRES_SPEC.merge(SPEC, _stress_run.RUN_SPEC).create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    work = present if module.params["state"] == "present" else absent
    try:
        result = work(module.params, module.check_mode)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
