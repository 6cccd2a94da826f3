#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_capacity_info
short_description: Measure what a host has and uses of CPU, memory and disk
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Measures the use of CPU over a stretch of time, and reads memory, file systems, C(/dev/shm), load average and
    uptime.
  - Also reads the limits on CPU and memory that a process has from its control group and all ancestors of it that
    can be seen, version 1, version 2 or both. A database in a container or a limited service has less than the host.
  - A part that cannot be read is null, and RV(host.missing) tells the reason. It never makes the module fail.
  - Works as an ordinary user and needs nothing but Python.
options:
  paths:
    description:
      - Absolute paths whose file systems to measure, for example the database's data directory.
      - A path that does not exist is refused.
    type: list
    elements: path
    default: [/]
  sample_seconds:
    description:
      - How long the use of CPU is measured, V(0.1) to V(60).
    type: float
    default: 1.0
  pid:
    description:
      - The process whose control group, permitted CPUs and C(/dev/shm) are asked for, for example PostgreSQL's
        postmaster. Without it, those of the module itself.
      - The process' C(/dev/shm) can be read by its owner and root only, unless it is the host's own.
    type: int
attributes:
  check_mode:
    description: Runs as ever, for it only reads.
    support: full
  diff_mode:
    description: There is nothing to differ.
    support: N/A
  platform:
    description: The systems that the module runs on.
    support: full
    platforms: linux
seealso:
  - name: Control groups, version 2
    description: What C(memory.max), C(memory.current) and C(cpu.max) mean.
    link: https://docs.kernel.org/admin-guide/cgroup-v2.html
  - name: Control groups, version 1, memory
    description: What C(memory.limit_in_bytes) and C(hierarchical_memory_limit) mean.
    link: https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

EXAMPLES = r"""
- name: Look up PostgreSQL's main process
  ansible.builtin.slurp:
    path: /run/postgresql/16-main.pid
  register: postmaster

- name: Find out what PostgreSQL may use
  midi.capacity.host_capacity_info:
    paths:
      - /var/lib/postgresql/16/main
    sample_seconds: 5
    pid: "{{ postmaster.content | b64decode | trim }}"
  register: capacity
  become: true
  become_user: postgres

- name: Say how much memory that is
  ansible.builtin.debug:
    msg: "{{ memory.usable_bytes }} bytes, limited by {{ memory.cgroup.source or 'nothing but the RAM' }}"
  vars:
    memory: "{{ capacity.host.memory }}"

- name: Say what could not be read
  ansible.builtin.debug:
    msg: "{{ item.part }}: {{ item.reason }}"
  loop: "{{ capacity.host.missing }}"
  loop_control:
    label: "{{ item.part }}"
"""

RETURN = r"""
host:
  description: What was found. Everything in it is null where it could not be read.
  returned: success
  type: dict
  contains:
    kernel:
      description: The kernel's release.
      type: str
      sample: 6.1.0-32-amd64
    uptime_seconds:
      description: Time since the host was started.
      type: float
      sample: 86400.17
    load_average:
      description: Tasks that ran or waited for a CPU or a disk, on average over 1, 5 and 15 minutes.
      type: list
      elements: float
      sample: [0.52, 0.61, 0.6]
    cpu:
      description: CPUs, and their use over RV(host.cpu.sample_seconds).
      type: dict
      contains:
        model:
          description: The model's name. 64-bit ARM hosts commonly tell none.
          type: str
          sample: AMD EPYC 7302P 16-Core Processor
        online_cpus:
          description: How many CPUs the host has in use.
          type: int
          sample: 8
        affinity_cpus:
          description: On how many of them the process may run.
          type: int
          sample: 8
        usable_cpus:
          description:
            - The smallest of RV(host.cpu.online_cpus), RV(host.cpu.affinity_cpus) and
              RV(host.cpu.cgroup.quota_cpus), of those that are known.
          type: float
          sample: 1.5
        sample_seconds:
          description: How long the use of CPU was measured.
          type: float
          sample: 1.001
        busy_percent:
          description:
            - Share of all online CPUs' time that was neither idle nor waiting for a disk.
            - Time stolen by the hypervisor counts as busy.
          type: float
          sample: 37.5
        states_percent:
          description:
            - Share of all online CPUs' time, per state.
            - The time of guests is part of C(user) and C(nice) and is not counted again.
          type: dict
          contains:
            user:
              description: Programs.
              type: float
            nice:
              description: Programs of low priority.
              type: float
            system:
              description: The kernel, for programs.
              type: float
            idle:
              description: Nothing to do.
              type: float
            iowait:
              description: Nothing to do while a disk is waited for. The kernel's estimate; not part of the busy share.
              type: float
            irq:
              description: Interrupts.
              type: float
            softirq:
              description: Deferred work of interrupts, commonly network.
              type: float
            steal:
              description: Ready to run, while the hypervisor ran something else.
              type: float
        states_seconds:
          description:
            - Time of all CPUs since the start of the host, with the states of RV(host.cpu.states_percent).
          type: dict
          sample: {user: 1200.5, system: 300.25, idle: 98000.0, iowait: 12.0}
        cgroup:
          description: CPU of the process' control group.
          type: dict
          contains:
            quota_cpus:
              description: The smallest quota of the group and its ancestors, as a number of CPUs. Null without one.
              type: float
              sample: 1.5
            source:
              description: The file that sets the quota. Null without one.
              type: str
              sample: /sys/fs/cgroup/system.slice/postgresql.service/cpu.max
            used_cpus:
              description: CPUs that the group used on average over RV(host.cpu.sample_seconds).
              type: float
              sample: 0.731
            used_seconds:
              description: CPU time that the group used since it was made.
              type: float
              sample: 4021.317
    memory:
      description: Memory.
      type: dict
      contains:
        total_bytes:
          description: The host's RAM.
          type: int
          sample: 67430838272
        available_bytes:
          description: What programs can have without swapping, as the kernel estimates it.
          type: int
        swap_total_bytes:
          description: Swap space.
          type: int
        swap_free_bytes:
          description: Swap space that is free.
          type: int
        huge_pages:
          description: Huge pages of the default size.
          type: dict
          contains:
            total:
              description: Number of pages in the pool.
              type: int
            free:
              description: Number of those that are not in use, reserved ones included.
              type: int
            reserved:
              description: Number of those that are promised and not yet taken.
              type: int
            surplus:
              description: Number of pages above the configured size of the pool.
              type: int
            page_size_bytes:
              description: Size of one page.
              type: int
        cgroup:
          description: Memory of the process' control group.
          type: dict
          contains:
            version:
              description: Which control groups the host has, V(1), V(2) or V(hybrid).
              type: str
              sample: "2"
            limit_bytes:
              description:
                - The smallest limit of the group and its ancestors. Null when there is none; a limit above the host's
                  RAM is none.
              type: int
              sample: 8589934592
            source:
              description: The file that sets the limit. Null without one.
              type: str
              sample: /sys/fs/cgroup/system.slice/docker-4f1c.scope/memory.max
            used_bytes:
              description: What the process' own group uses, its page cache included.
              type: int
            limit_used_bytes:
              description:
                - What the group that sets the limit uses, its page cache included.
                - Null without a limit, or when that group cannot be seen from inside a container.
              type: int
        usable_bytes:
          description: The smaller of RV(host.memory.total_bytes) and RV(host.memory.cgroup.limit_bytes).
          type: int
          sample: 8589934592
    disks:
      description: The file system of each of O(paths), in their order.
      type: list
      elements: dict
      contains:
        path:
          description: The path as given.
          type: str
          sample: /var/lib/postgresql/16/main
        mount_point:
          description: Where the file system is mounted.
          type: str
          sample: /var/lib/postgresql
        file_system_type:
          description: Its type.
          type: str
          sample: ext4
        device:
          description: What is mounted, as given to C(mount).
          type: str
          sample: /dev/mapper/vg0-postgresql
        rotational:
          description:
            - Whether the kernel takes the block device for a spinning disk; null when there is none or it does not say.
            - Virtual disks often say V(true) whatever is below them.
          type: bool
        size_bytes:
          description: Its size.
          type: int
        used_bytes:
          description: What is in use.
          type: int
        free_bytes:
          description: What an ordinary user can still use. Blocks reserved for root are not in it.
          type: int
        used_percent:
          description:
            - Used space, of used space and RV(host.disks[].free_bytes) together, as C(df) counts it but not rounded up.
            - Null for a file system that has no blocks, such as C(/proc).
          type: float
          sample: 61.27
        inodes:
          description: Inodes, or null for a file system that makes them as it needs them.
          type: dict
          contains:
            total:
              description: How many there are.
              type: int
            used:
              description: How many are in use.
              type: int
            free:
              description: How many an ordinary user can still use.
              type: int
            used_percent:
              description: Used inodes, of used and free ones together.
              type: float
    shm:
      description: C(/dev/shm), which PostgreSQL needs for parallel queries, as the process sees it.
      type: dict
      contains:
        size_bytes:
          description: Its size.
          type: int
          sample: 67108864
        free_bytes:
          description: What is free.
          type: int
    missing:
      description: What could not be read, or only with a doubt.
      type: list
      elements: dict
      contains:
        part:
          description: Which value, named as here below RV(host).
          type: str
          sample: memory.cgroup
        reason:
          description: Why.
          type: str
          sample: the cgroup hierarchy of the controller memory is not mounted
"""

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._host import Host

SPEC = ArgumentSpec(
    {
        "paths": {"type": "list", "elements": "path", "default": ["/"]},
        "sample_seconds": {"type": "float", "default": 1.0},
        "pid": {"type": "int"},
    }
)


def main():
    module = SPEC.create_module()
    try:
        host = Host().capacity(**module.params)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, host=host)


if __name__ == "__main__":
    main()
