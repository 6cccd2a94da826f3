# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/with-docker on machines that are made up: what it installs, and what of the machine's own it leaves alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A machine is a directory: commands/ has what is installed, running what runs. Installing docker.io starts services.
MACHINE = """
cd "$1"
MIDI_CAPACITY_CACHE="$1"
. "$2"
mkdir -p "$1/docker"
has() { [ -e "commands/$1" ]; }
grep() { case "$*" in *apparmor*) return 1;; esac; command grep "$@"; }
fail() { echo "fail: $*" >&2; exit 1; }
apt-get() {
  local package
  for package in "$@"; do
    case $package in
      docker.io) touch commands/dockerd commands/docker; printf '%s\\n' $SERVICES >>running ;;
      docker-cli) touch commands/docker ;;
      # Meanwhile somebody else starts them.
      iptables) touch commands/iptables; printf '%s\\n' $SERVICES >>running ;;
    esac
  done
  echo "apt-get $*" >>calls
}
by_systemd() { [ "$INIT" = systemd ]; }
systemctl() { case $2 in is-active) command grep -qx "$3" running;; stop) shift 2; echo "stop $*" >>calls;; esac; }
init_script() { echo "$PWD/init-docker"; }
install_missing
"""
INIT_SCRIPT = """#!/bin/sh
case $1 in status) grep -qx init running;; stop) echo "stop init" >>calls;; esac
"""
UNITS = ("docker.socket", "docker.service", "containerd.service")


class Machine:
    """Runs install_missing on it."""

    def __init__(self, directory: Path, init: str) -> None:
        self.directory, self.init = directory, init
        (directory / "commands").mkdir()
        (directory / "calls").touch()
        script = directory / "init-docker"
        script.write_text(INIT_SCRIPT)
        script.chmod(0o755)

    def install(self, has: str, running: str = "") -> list[str]:
        """What it did; `apt-get update` left out."""
        for name in ["apt-get", *has.split()]:
            (self.directory / "commands" / name).touch()
        (self.directory / "running").write_text("".join(f"{service}\n" for service in running.split()))
        services = " ".join(UNITS) if self.init == "systemd" else "init"
        done = subprocess.run(
            ["bash", "-c", MACHINE, "bash", str(self.directory), str(ROOT / "tests" / "with-docker")],
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.directory), "INIT": self.init, "SERVICES": services},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        calls = (self.directory / "calls").read_text().splitlines()
        return [call.replace(" --yes --no-install-recommends", "") for call in calls if call != "apt-get update"]


@pytest.mark.parametrize(
    ("init", "has", "running", "expected"),
    [
        ("systemd", "dockerd docker iptables", "docker.service", []),
        # What the package starts is stopped.
        ("systemd", "", "", ["apt-get install docker.io iptables", f"stop {' '.join(UNITS)}"]),
        ("sysv", "iptables", "", ["apt-get install docker.io", "stop init"]),
        # What ran before is not.
        ("systemd", "iptables", "containerd.service", ["apt-get install docker.io", f"stop {' '.join(UNITS[:2])}"]),
        ("systemd", "iptables", " ".join(UNITS), ["apt-get install docker.io"]),
        ("sysv", "iptables", "init", ["apt-get install docker.io"]),
        # Nor is anything where Docker was there already.
        ("systemd", "dockerd docker", "docker.service", ["apt-get install iptables"]),
        ("systemd", "dockerd iptables", "docker.service", ["apt-get install docker-cli"]),
        ("sysv", "dockerd docker", "init", ["apt-get install iptables"]),
    ],
)
def test_only_what_the_installation_started_is_stopped(
    tmp_path: Path, init: str, has: str, running: str, expected: list[str]
) -> None:
    assert Machine(tmp_path, init).install(has, running) == expected


def test_a_zombie_is_gone_and_not_yet_collected() -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        process.kill()
        # It stays a zombie until it is waited for.
        script = f"""set -- ; . {ROOT}/tests/with-docker
until_true 20 gone {process.pid} && ! collected {process.pid} && ! gone $$ && echo as it should"""
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env={"HOME": "/x"})
    assert done.stdout == "as it should\n", done.stderr
