# SPDX-License-Identifier: GPL-3.0-or-later
"""The error that reaches whoever runs the demo."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError


class DemoError(OperatorError):
    """The demo cannot go on; the message says why and what to do."""


class ServerError(DemoError):
    """A server could not be made, started or stopped."""
