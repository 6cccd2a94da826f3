# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Redis does not say about its settings: which hold secrets, which are fixed, which words and units they take.

Taken from how Redis 6.2.14, 7.0.15 and 8.0.2 answer; test_redis_settings.py asks a server again.
"""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Tuple

# Words that a newer server may have added to are left to that server.
NEWEST_KNOWN_VERSION = (8, 0)

SECRET = ("masterauth", "requirepass", "tls-client-key-file-pass", "tls-key-file-pass")

_FIXED = (
    "aclfile",
    "always-show-logo",
    "aof-rewrite-cpulist",
    "aof_rewrite_cpulist",
    "appenddirname",
    "appendfilename",
    "bgsave-cpulist",
    "bgsave_cpulist",
    "bio-cpulist",
    "bio_cpulist",
    "cluster-config-file",
    "cluster-enabled",
    "cluster-port",
    "daemonize",
    "databases",
    "enable-debug-command",
    "enable-module-command",
    "enable-protected-configs",
    "io-threads",
    "io-threads-do-reads",
    "logfile",
    "pidfile",
    "rdbchecksum",
    "server-cpulist",
    "server_cpulist",
    "set-proc-title",
    "socket-mark-id",
    "supervised",
    "syslog-enabled",
    "syslog-facility",
    "syslog-ident",
    "tcp-backlog",
    "unixsocket",
    "unixsocketperm",
)
_FIXED_SINCE_7 = ("disable-thp",)
# From 7.0 on a client may change these only where enable-protected-configs lets it.
_PROTECTED_SINCE_7 = ("dbfilename", "dir")
_REPLICATION = ("replicaof", "slaveof")

MEMORY = (
    "active-defrag-ignore-bytes",
    "auto-aof-rewrite-min-size",
    "client-query-buffer-limit",
    "cluster-link-sendbuf-limit",
    "hash-max-listpack-value",
    "hash-max-ziplist-value",
    "hll-sparse-max-bytes",
    "maxmemory",
    "proto-max-bulk-len",
    "repl-backlog-size",
    "replica-full-sync-buffer-limit",
    "stream-node-max-bytes",
    "zset-max-listpack-value",
    "zset-max-ziplist-value",
)
# Bytes, or a share of maxmemory.
MEMORY_OR_PERCENT = ("maxmemory-clients",)

_SHUTDOWN = ("default", "save", "nosave", "now", "force")
WORDS: Dict[str, Tuple[str, ...]] = {
    "acl-pubsub-default": ("allchannels", "resetchannels"),
    "appendfsync": ("always", "everysec", "no"),
    "cluster-preferred-endpoint-type": ("ip", "hostname", "unknown-endpoint"),
    "loglevel": ("debug", "verbose", "notice", "warning", "nothing"),
    "maxmemory-policy": (
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
        "noeviction",
    ),
    "oom-score-adj": ("no", "yes", "relative", "absolute"),
    "propagation-error-behavior": ("ignore", "panic", "panic-on-replicas"),
    "repl-diskless-load": ("disabled", "on-empty-db", "swapdb"),
    "sanitize-dump-payload": ("no", "yes", "clients"),
    "shutdown-on-sigint": _SHUTDOWN,
    "shutdown-on-sigterm": _SHUTDOWN,
    "tls-auth-clients": ("no", "yes", "optional"),
}
# Two words for one thing; the server shows the second.
SAME_WORD = {("oom-score-adj", "relative"): "yes"}
# Words or numbers in a row, with one blank between them.
ROWS = (
    "bind",
    "latency-tracking-info-percentiles",
    "oom-score-adj-values",
    "shutdown-on-sigint",
    "shutdown-on-sigterm",
)
# Texts that may happen to look like a number or like yes and no.
TEXTS = (
    "bind-source-addr",
    "cluster-announce-hostname",
    "cluster-announce-human-nodename",
    "cluster-announce-ip",
    "dbfilename",
    "dir",
    "ignore-warnings",
    "locale-collate",
    "masteruser",
    "proc-title-template",
    "replica-announce-ip",
    "slave-announce-ip",
)

_OLD_NAMES = {
    "cluster-slave-no-failover": "cluster-replica-no-failover",
    "cluster-slave-validity-factor": "cluster-replica-validity-factor",
    "hash-max-ziplist-entries": "hash-max-listpack-entries",
    "hash-max-ziplist-value": "hash-max-listpack-value",
    "list-max-ziplist-size": "list-max-listpack-size",
    "lua-time-limit": "busy-reply-threshold",
    "min-slaves-max-lag": "min-replicas-max-lag",
    "min-slaves-to-write": "min-replicas-to-write",
    "repl-ping-slave-period": "repl-ping-replica-period",
    "slave-announce-ip": "replica-announce-ip",
    "slave-announce-port": "replica-announce-port",
    "slave-ignore-maxmemory": "replica-ignore-maxmemory",
    "slave-lazy-flush": "replica-lazy-flush",
    "slave-priority": "replica-priority",
    "slave-read-only": "replica-read-only",
    "slave-serve-stale-data": "replica-serve-stale-data",
    "zset-max-ziplist-entries": "zset-max-listpack-entries",
    "zset-max-ziplist-value": "zset-max-listpack-value",
}


def one_name(name: str) -> str:
    """The same text for all names of one setting."""
    return _OLD_NAMES.get(name, name)


def why_fixed(name: str, version: Tuple[int, ...], config: Mapping[str, str]) -> Optional[str]:
    """Why CONFIG SET cannot change a setting and what does, or None."""
    if name in _REPLICATION:
        return "is changed by the command REPLICAOF, not by CONFIG SET"
    if name in _FIXED or (name in _FIXED_SINCE_7 and version >= (7, 0)):
        return "cannot change while the server runs: set it in the configuration file and restart the server"
    if name in _PROTECTED_SINCE_7 and config.get("enable-protected-configs") == "no":
        return "is protected by enable-protected-configs = no: set it in the configuration file and restart the server"
    return None


def is_for_start(name: str) -> bool:
    """Whether some version takes a setting only from what it reads when it starts."""
    return name in (*_FIXED, *_FIXED_SINCE_7, *_PROTECTED_SINCE_7)
