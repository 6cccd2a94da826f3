# SPDX-License-Identifier: GPL-3.0-or-later
"""Speeds and sizes, each as a ratio to a named baseline in the same run."""

# It makes the checkout answer to midi.capacity.
import demo  # noqa: F401
