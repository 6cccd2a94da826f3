# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded servers, PostgreSQL 18 and Redis 6.2 from PyPI, and what goes with them: what others import."""

from __future__ import annotations

from demo.cache import EmbeddedRedis
from demo.embedded import START_SECONDS, postgres_bin, redis_bin, remove_socket_directory, socket_directory, tail
from demo.errors import ServerError
from demo.postgres import EmbeddedPostgres, worst
from demo.processes import kill, until

__all__ = [
    "START_SECONDS",
    "EmbeddedPostgres",
    "EmbeddedRedis",
    "ServerError",
    "kill",
    "postgres_bin",
    "redis_bin",
    "remove_socket_directory",
    "socket_directory",
    "tail",
    "until",
    "worst",
]
