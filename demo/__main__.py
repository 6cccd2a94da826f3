# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m demo up|stop|clean|status|psql|redis-cli: what `make demo` calls."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from demo import CHECKOUT

if TYPE_CHECKING:
    from demo.commands import Demo

USAGE = """usage: python -m demo COMMAND
  up          start PostgreSQL and Redis and load the MIDI library, as far as that is still to do
  stop        stop them; the library stays
  clean       stop them and remove all files of the demo
  next        what to look at, once phase 1 has run
  status      what runs and what is loaded; exit status 3 unless all of it is there
  psql        the library in psql; further arguments are psql's
  redis-cli   the cache in redis-cli; further arguments are redis-cli's
environment: DEMO_FILES (files in the library), DEMO_PG_PORT (a TCP port for PostgreSQL), DEMO_HOME (where all of it is)
"""
_TARGETS = {"up": "make demo", "stop": "make demo-stop", "clean": "make demo-clean"}
FAILED, MISUSED, NOT_UP = 1, 2, 3


def main(demo: Demo, arguments: list[str]) -> int:
    """Run one command and give the exit status. Raises DemoError, KeyboardInterrupt and OSError."""
    with_arguments = {"psql": demo.psql, "redis-cli": demo.redis_cli}
    plain = {"up": demo.up, "stop": demo.stop, "clean": demo.clean, "next": demo.next}
    command, further = (arguments or [""])[0], arguments[1:]
    if command in with_arguments:
        with_arguments[command](further)
    elif command in plain and not further:
        plain[command]()
    elif command == "status" and not further:
        return 0 if demo.status() else NOT_UP
    elif command in ("-h", "--help", "help"):
        print(USAGE, end="")
    else:
        print(USAGE, end="", file=sys.stderr)
        return MISUSED
    return 0


def main_with_messages(arguments: list[str]) -> int:
    """The same, with one message on stderr for every fault."""
    # The user's own libpq settings are for other servers.
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        import psycopg2

        from demo.commands import Demo
        from demo.errors import DemoError
    except ImportError as error:
        return _fail(f"the environment is not set up: {error} ({CHECKOUT}). To mend it: run `make setup`.")
    except KeyboardInterrupt:
        return _interrupted(arguments)
    try:
        status = main(Demo(dict(os.environ)), arguments)
        sys.stdout.flush()
        return status
    except DemoError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _interrupted(arguments)
    except BrokenPipeError:
        # Whoever read the output has gone; Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except psycopg2.Error as error:
        return _fail(f"PostgreSQL: {(str(error).strip().splitlines() or ['the connection was lost'])[0]}")
    except OSError as error:
        return _fail(f"{error.strerror or error} ({error.filename or 'no file'})")


def _interrupted(arguments: list[str]) -> int:
    return _fail(f"interrupted: run {_TARGETS.get(''.join(arguments[:1]), 'it')} again")


def _fail(message: str) -> int:
    print(f"demo: {message}", file=sys.stderr)
    return FAILED


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main_with_messages(sys.argv[1:]))
