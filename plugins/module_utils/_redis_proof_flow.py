# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of module redis_restart_proof: a key is written, and found by a server that was started since."""

from __future__ import annotations

import secrets

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import Cache

_BEGINNING = "midi-capacity:restart-proof"
# Should nobody come to find it.
_LIFETIME_SECONDS = 86400


def prove(options: dict, check_mode: bool) -> dict:
    """Do what the options of module redis_restart_proof say; gives the module's result."""
    if options["state"] == "found" and options["key"] is None:
        raise OperatorError("state is found and key is not given", remedy="give the key that was written")
    if check_mode:
        return {"changed": True, "key": options["key"]}
    cache = Cache.connect(options)
    try:
        return _written(cache) if options["state"] == "written" else _found(cache, options["key"])
    finally:
        cache.close()


def _written(cache: Cache) -> dict:
    # The value is the server's number of this run, which the next run has not.
    key = f"{_BEGINNING}:{secrets.token_hex(8)}"
    cache.set_for(key, _run_id(cache), _LIFETIME_SECONDS)
    return {"changed": True, "key": key}


def _found(cache: Cache, key: str) -> dict:
    value = cache.get(key)
    if value is None:
        raise OperatorError(
            f"the key {key}, which was written before the restart, is gone: the server does not keep its data",
            cache.where,
            "see that appendonly or save is set, that its directory stays (a volume, in a container), and its log",
        )
    if value == _run_id(cache):
        raise OperatorError(
            "the server was not restarted since the key was written, so it proves nothing",
            cache.where,
            "see that what was restarted is the server that answers here",
        )
    cache.unlink([key])
    return {"changed": True, "key": key}


def _run_id(cache: Cache) -> str:
    return cache.info("server").get("run_id", "")
