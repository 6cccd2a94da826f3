# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make test` sees to before it tests: the programs that the tests call are there, or it says what to install."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

OF_THE_AGENT = ("systemd-analyze", "faketime")
TOOLS = Path(__file__).resolve().parents[2] / "tests" / "tools"


def tools(path: Path, *there: str) -> subprocess.CompletedProcess[str]:
    """Run where PATH has these programs only, so that there is no apt-get to help."""
    path.mkdir()
    for program in ("bash", "env", "id", *there):
        found = shutil.which(program)
        assert found is not None, f"the test itself needs {program}"
        (path / program).symlink_to(found)
    return subprocess.run([str(TOOLS)], env={"PATH": str(path)}, capture_output=True, text=True, check=False)


def test_nothing_is_said_where_all_is_there(tmp_path: Path) -> None:
    done = tools(tmp_path / "bin", "ssh", "free", *OF_THE_AGENT, "chromium", "fc-list")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("there", "packages"),
    [
        ((), "openssh-client procps systemd faketime chromium fonts-dejavu-core"),
        (("ssh", *OF_THE_AGENT, "chromium", "fc-list"), "procps"),
        (("free", *OF_THE_AGENT, "chromium", "fc-list"), "openssh-client"),
        (("ssh", "free", "faketime", "chromium", "fc-list"), "systemd"),
        (("ssh", "free", "systemd-analyze", "chromium", "fc-list"), "faketime"),
        (("ssh", "free", *OF_THE_AGENT, "fc-list"), "chromium"),
        (("ssh", "free", *OF_THE_AGENT, "chromium"), "fonts-dejavu-core"),
    ],
)
def test_what_is_missing_is_told_with_its_package(tmp_path: Path, there: tuple[str, ...], packages: str) -> None:
    done = tools(tmp_path / "bin", *there)
    assert done.returncode == 1
    assert f"`sudo apt install {packages}`" in done.stderr
