# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command capacity-agent. Nothing that it imports may be Ansible's: hosts have no Ansible."""

from __future__ import annotations

import argparse
import os


def main(argv: list, default_config: str) -> int:
    """Run one command; gives the exit status."""
    parser = argparse.ArgumentParser(prog="capacity-agent")
    parser.add_argument("--config", default=default_config, help="the agent's configuration (%(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version", help="where this program is")
    parser.parse_args(argv)
    print(os.path.abspath(__file__))
    return 0
