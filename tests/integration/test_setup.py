# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make setup` sees to before it sets up: nobody else does, and the environment that is there can work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETUP = ROOT / "demo" / "setup"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A directory with an environment in it."""
    directory = tmp_path / "checkout"
    directory.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=directory, check=True)
    (directory / ".venv" / "mine").touch()
    return directory


def setup(checkout: Path, script: str = "true", environment: str = ".venv") -> subprocess.CompletedProcess[str]:
    command = [str(SETUP), environment, "sh", "-c", script]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_an_environment_that_is_in_order_is_left_as_it_is(checkout: Path) -> None:
    done = setup(checkout, "echo made")
    assert (done.returncode, done.stdout, done.stderr) == (0, "made\n", "")
    assert (checkout / ".venv" / "mine").exists()


def test_none_yet_is_no_matter(tmp_path: Path) -> None:
    assert setup(tmp_path).returncode == 0


def test_the_status_is_that_of_the_command(checkout: Path) -> None:
    assert setup(checkout, "exit 7").returncode == 7


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_an_environment_of_another_path_is_made_again(checkout: Path, how: str) -> None:
    there = checkout.with_name("elsewhere")
    if how == "moved":
        checkout.rename(there)
    else:
        subprocess.run(["cp", "-a", str(checkout), str(there)], check=True)
    done = setup(there, "test ! -e .venv")
    assert done.returncode == 0
    assert done.stderr == "setup: .venv was made for another path: making it again\n"
    assert checkout.exists() == (how == "copied")


def test_a_link_to_an_environment_is_left_alone(checkout: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / ".venv").symlink_to(checkout / ".venv")
    done = setup(other)
    assert (done.returncode, done.stderr) == (0, "")
    # So is one that is named with its whole path.
    assert setup(other, environment=str(checkout / ".venv")).stderr == ""
    assert (checkout / ".venv" / "mine").exists()


def test_an_environment_that_somebody_made_in_another_way_is_left_alone(checkout: Path) -> None:
    (checkout / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    assert setup(checkout).stderr == ""
    assert (checkout / ".venv" / "mine").exists()


def test_a_python_that_cannot_be_run_is_one_message(checkout: Path) -> None:
    # As root's own Python is for everybody else.
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/root/private/python")
    done = setup(checkout, "touch went-on")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "cannot run the Python of .venv, /root/private/python: remove .venv as " in done.stderr
    assert "make setup PYTHON=" in done.stderr
    assert not (checkout / "went-on").exists()


def test_two_at_once_come_one_after_the_other(checkout: Path) -> None:
    os.mkfifo(checkout / "go")
    script = "echo begin >>log; cat go >/dev/null; echo end >>log"
    command = [str(SETUP), ".venv", "sh", "-c"]
    with subprocess.Popen([*command, script], cwd=checkout) as first:
        # Opened as soon as the first has begun; closing it lets it end.
        with (checkout / "go").open("w"):
            second = subprocess.Popen([*command, "echo second >>log"], cwd=checkout, stderr=subprocess.PIPE, text=True)
            said = second.stderr.readline()
        second.communicate()
    assert first.returncode == second.returncode == 0
    assert said == "setup: another make is setting up .venv: waiting for it\n"
    assert (checkout / "log").read_text().split() == ["begin", "end", "second"]


def made(*arguments: str, **environment: str) -> str:
    """DEMO_HOME as the demo gets it from make."""
    known = {name: value for name, value in os.environ.items() if name != "DEMO_HOME"}
    command = ["make", "--silent", "--eval", 'show: ; @echo "$$DEMO_HOME"', "show", *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**known, **environment}, capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ""),
        ("here", f"{ROOT}/here"),
        ("../with space, and 'quotes'", f"{ROOT}/../with space, and 'quotes'"),
        ("/some where/else", "/some where/else"),
    ],
)
def test_the_home_is_an_absolute_path_for_all_that_need_it(given: str, expected: str) -> None:
    assert made(DEMO_HOME=given) == expected
    assert made(f"DEMO_HOME={given}") == expected
