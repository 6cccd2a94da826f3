# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that names are put together from: no blank in them, nothing that COPY or a path has to escape."""

from __future__ import annotations

from typing import NamedTuple, Tuple


class Genre(NamedTuple):
    """weight: how common; bpm, spread: its tempo's mean and standard deviation; minor_percent: share of minor keys."""

    name: str
    weight: int
    bpm: int
    spread: int
    minor_percent: int


GENRES = (
    Genre("house", 14, 124, 4, 70),
    Genre("techno", 10, 132, 6, 80),
    Genre("trance", 7, 138, 4, 75),
    Genre("drum-and-bass", 6, 174, 4, 75),
    Genre("dubstep", 4, 140, 3, 80),
    Genre("hip-hop", 12, 90, 8, 65),
    Genre("trap", 9, 142, 9, 85),
    Genre("pop", 12, 116, 14, 40),
    Genre("rock", 9, 122, 18, 40),
    Genre("funk", 4, 106, 8, 50),
    Genre("jazz", 5, 128, 34, 45),
    Genre("classical", 4, 96, 28, 40),
    Genre("ambient", 3, 78, 12, 55),
    Genre("reggae", 2, 76, 7, 45),
    Genre("latin", 3, 104, 16, 50),
    Genre("cinematic", 4, 94, 20, 70),
)

# What a file is for: the categories, most common first, with their weights.
ROLES = (
    ("drums", 30),
    ("bass", 15),
    ("chords", 13),
    ("melody", 12),
    ("lead", 8),
    ("arpeggio", 6),
    ("pad", 4),
    ("strings", 3),
    ("brass", 2),
    ("vocal", 2),
    ("effects", 1),
    ("full-song", 4),
)

# General MIDI names, by program number where a role uses them.
INSTRUMENTS = (
    "acoustic-grand-piano", "electric-piano", "harpsichord", "clavinet", "celesta", "vibraphone", "marimba",
    "drawbar-organ", "rock-organ", "accordion", "nylon-guitar", "steel-guitar", "jazz-guitar", "clean-guitar",
    "overdriven-guitar", "acoustic-bass", "fingered-bass", "slap-bass", "synth-bass", "violin", "cello", "harp",
    "timpani", "string-ensemble", "synth-strings", "choir", "trumpet", "trombone", "french-horn",
    "brass-section", "soprano-sax", "tenor-sax", "oboe", "clarinet", "flute", "pan-flute", "square-lead",
    "saw-lead", "warm-pad", "drum-kit",
)  # fmt: skip

MANUFACTURERS = (
    "loopworks", "midi-mart", "groove-foundry", "north-audio", "blue-signal", "keyline", "sample-harbour",
    "pulse-lab", "analog-attic", "red-door", "tonewright", "beatsmith",
)  # fmt: skip

COLLECTIONS = (
    "essentials", "construction-kits", "live-takes", "session-one", "session-two", "vault", "producer-tools",
    "classics", "night-shift", "sunday-jams", "hits", "archive", "tour-bus", "basement", "rooftop", "sketches",
)  # fmt: skip

MOODS = (
    "dark", "bright", "happy", "sad", "aggressive", "calm", "dreamy", "epic", "tense", "warm", "cold", "romantic",
    "funky", "groovy", "melancholic", "uplifting", "mysterious", "playful", "heavy", "soft", "driving",
    "laid-back", "nervous", "solemn",
)  # fmt: skip

# Tags that are neither genre, role, instrument nor mood; the first are the most used.
STYLES = (
    "loop", "one-shot", "fill", "intro", "outro", "verse", "chorus", "bridge", "break", "build-up", "drop", "4-bar",
    "8-bar", "16-bar", "swing", "straight", "shuffle", "triplet", "syncopated", "quantized", "humanized",
    "live", "programmed", "layered", "mono", "polyphonic", "vintage", "modern", "80s", "90s", "minimal",
    "complex", "half-time", "double-time", "off-beat",
)  # fmt: skip

KEYS: Tuple[str, ...] = (
    "C", "Cm", "C#", "C#m", "D", "Dm", "D#", "D#m", "E", "Em", "F", "Fm",
    "F#", "F#m", "G", "Gm", "G#", "G#m", "A", "Am", "A#", "A#m", "B", "Bm",
)  # fmt: skip
UNKNOWN_KEY = "UNKNOWN"
# How common a tonic is, C to B, in percent: few accidentals are common.
TONIC_WEIGHTS = (15, 5, 12, 5, 10, 10, 5, 12, 5, 12, 4, 5)
