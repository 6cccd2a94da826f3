# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The regularised incomplete gamma function, which is the CDF of a gamma distribution.

DLMF is the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov.
"""

from __future__ import annotations

import math

from ansible_collections.midi.capacity.plugins.module_utils._latency import normal

# From here on the expansion for large shapes is good to 1e-6; the others take ever more terms.
LARGE_SHAPE = 100.0
_PRECISION = 1e-10
_MOST_TERMS = 1000
_QUANTILE_PRECISION = 1e-3
_MOST_STEPS = 20


def lower(shape: float, x: float) -> float:
    """P(shape, x), of 0 to 1."""
    if x <= 0:
        return 0.0
    if shape < LARGE_SHAPE and x < shape + 1:
        return _series(shape, x)
    return 1 - upper(shape, x)


def upper(shape: float, x: float) -> float:
    """Q(shape, x) = 1 - P(shape, x), with all its digits where it is tiny."""
    if x <= 0:
        return 1.0
    if shape >= LARGE_SHAPE:
        return _expansion(shape, x)
    if x < shape + 1:
        return 1 - _series(shape, x)
    return _fraction(shape, x)


def upper_quantile(shape: float, tail: float) -> float:
    """The x with Q(shape, x) = tail, to about 0.1 %; for shapes that are not tiny and tails of less than a half."""
    # Wilson and Hilferty 1931: the cube root is nearly normal.
    ninth = 1 / (9 * shape)
    x = shape * max(0.1, 1 - ninth + normal.upper_quantile(tail) * math.sqrt(ninth)) ** 3
    if shape >= LARGE_SHAPE:
        return x
    # Newton's steps on log Q, which is nearly straight in the tail.
    for _step in range(_MOST_STEPS):
        above = upper(shape, x)
        step = math.log(above / tail) * above / _density(shape, x)
        x = min(max(x + step, x / 4), x * 4)
        if abs(step) <= _QUANTILE_PRECISION * x:
            break
    return x


def _density(shape: float, x: float) -> float:
    return math.exp((shape - 1) * math.log(x) - x - math.lgamma(shape))


def _series(shape: float, x: float) -> float:
    """DLMF 8.11.4, the power series; for x < shape + 1 its terms fall fast."""
    term = total = 1 / shape
    denominator = shape
    for _term in range(_MOST_TERMS):
        denominator += 1
        term *= x / denominator
        total += term
        if term < total * _PRECISION:
            break
    return min(1.0, total * math.exp(shape * math.log(x) - x - math.lgamma(shape)))


def _fraction(shape: float, x: float) -> float:
    """DLMF 8.9.2, the continued fraction, contracted to its even part and by the method of Lentz; for x > shape + 1."""
    b = x + 1 - shape
    c, d = 1e300, 1 / b
    total = d
    for step in range(1, _MOST_TERMS):
        a = step * (shape - step)
        b += 2
        d = 1 / (a * d + b)
        c = b + a / c
        total *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return min(1.0, total * math.exp(shape * math.log(x) - x - math.lgamma(shape)))


def _expansion(shape: float, x: float) -> float:
    """DLMF 8.12.4 with the first term of 8.12.7, uniform for large shapes."""
    ratio = x / shape
    half_square = max(0.0, ratio - 1 - math.log(ratio))
    eta = math.copysign(math.sqrt(2 * half_square), ratio - 1)
    # 8.12.11: where its series is not good, the exponential below has made it nothing.
    first = -1 / 3 + eta / 12 - 2 * eta**2 / 135
    correction = math.exp(-shape * half_square) / math.sqrt(2 * math.pi * shape) * first
    return min(1.0, max(0.0, normal.cdf(-eta * math.sqrt(shape)) + correction))
