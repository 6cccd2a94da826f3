# SPDX-License-Identifier: GPL-3.0-or-later
"""What the environment asks of the demo: DEMO_HOME, DEMO_FILES, DEMO_PG_PORT."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from demo import CHECKOUT
from demo.errors import DemoError

USUAL_FILES = 172_000
FEWEST_FILES, MOST_FILES = 1_000, 20_000_000
# Below these a port needs root, and the servers never run as root.
LOWEST_PORT, HIGHEST_PORT = 1024, 65535


def home_directory(environment: Mapping[str, str]) -> Path:
    """Where the demo keeps everything: `.demo` of the checkout, or DEMO_HOME."""
    return Path(environment.get("DEMO_HOME") or CHECKOUT / ".demo").absolute()


def wanted_files(environment: Mapping[str, str]) -> int | None:
    """DEMO_FILES; None where nothing is said, so that a library that is there stays. Raises DemoError."""
    text = environment.get("DEMO_FILES", "")
    if not text:
        return None
    return _integer("DEMO_FILES", text, FEWEST_FILES, MOST_FILES, f"for example `make demo DEMO_FILES={USUAL_FILES}`")


def wanted_port(environment: Mapping[str, str]) -> int | None:
    """DEMO_PG_PORT; None for the Unix socket alone. Raises DemoError."""
    text = environment.get("DEMO_PG_PORT", "")
    if not text:
        return None
    return _integer("DEMO_PG_PORT", text, LOWEST_PORT, HIGHEST_PORT, "or leave it empty for the Unix socket alone")


def _integer(name: str, text: str, lowest: int, highest: int, example: str) -> int:
    if re.fullmatch("[0-9]{1,12}", text) and lowest <= int(text) <= highest:
        return int(text)
    raise DemoError(
        f"{name} is {text!r}, not a whole number from {lowest:,} to {highest:,}",
        remedy=f"give digits only, {example}",
    )
