# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's prometheus-postgres-exporter: fetched where it is not installed, and run for the time of a benchmark."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "prometheus-postgres-exporter"
QUERIES = f"usr/share/doc/{PACKAGE}/examples/queries.yaml"
READY_SECONDS = 30
# Its queries for statements are those of PostgreSQL 12. The same columns, by the names they have since 13 and since 17.
RENAMED = {
    **{f"{name}_time /": f"{name}_exec_time /" for name in ("total", "min", "max", "mean", "stddev")},
    **{f"blk_{name}_time /": f"shared_blk_{name}_time /" for name in ("read", "write")},
}


@dataclass(frozen=True)
class Package:
    """The program, and the queries that it ships for statements and tables."""

    version: str
    program: Path
    queries: Path


@dataclass(frozen=True)
class Exporter:
    url: str
    log: Path

    def scrape(self) -> str:
        with urllib.request.urlopen(self.url, timeout=READY_SECONDS) as answer:
            found: str = answer.read().decode()
        return found


def package(directory: Path) -> Package:
    """Debian's package, unpacked below `directory`: nothing is installed, so no service of it starts.

    Raises RuntimeError where it cannot be had.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise RuntimeError(f"{PACKAGE} comes from Debian, and there is no {tool} here: run this on Debian")
    directory.mkdir()
    command = ["apt-get", "download", "--quiet=2", PACKAGE]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0 and os.geteuid() == 0:
        # A small machine has no lists of packages.
        subprocess.run(["apt-get", "update", "--quiet=2"], check=True)
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    files = list(directory.glob("*.deb"))
    if done.returncode != 0 or not files:
        raise RuntimeError(f"apt-get download {PACKAGE} failed (run apt-get update as root): {done.stderr.strip()}")
    subprocess.run(["dpkg-deb", "--extract", files[0], directory], check=True)
    version = subprocess.run(
        ["dpkg-deb", "--field", files[0], "Version"], check=True, capture_output=True, text=True
    ).stdout.strip()
    queries = (directory / QUERIES).read_text()
    for old, new in RENAMED.items():
        if old not in queries:
            raise RuntimeError(f"the queries of {PACKAGE} {version} have no {old!r}: look at what they are now")
        queries = queries.replace(old, new)
    mended = directory / "queries.yaml"
    mended.write_text(queries)
    return Package(version, directory / "usr/bin" / PACKAGE, mended)


@contextlib.contextmanager
def running(program: Path, log: Path, source: str, *arguments: str) -> Iterator[Exporter]:
    """It runs and answers. source: libpq's connection string."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with log.open("w") as output:
        process = subprocess.Popen(
            [program, f"--web.listen-address={address}", *arguments],
            stdout=output,
            stderr=output,
            env={"DATA_SOURCE_NAME": source},
        )
    try:
        exporter = Exporter(f"http://{address}/metrics", log)
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                exporter.scrape()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{PACKAGE} does not answer: {log.read_text().strip()[-500:]}") from None
                time.sleep(0.1)
        yield exporter
    finally:
        process.terminate()
        process.wait()


def failures(log: Path) -> list[str]:
    """Collectors and queries that failed, each once, with why."""
    found = set()
    for line in log.read_text().splitlines():
        if 'msg="collector failed"' in line:
            name = line.partition(" name=")[2].split(" ")[0]
            found.add(f"{name}: {line.partition(' err=')[2].strip(chr(34))}")
        elif "Error running query" in line:
            found.add(line.partition("err=")[2].strip('"')[:200])
    return sorted(text.replace("\\", "") for text in found)
