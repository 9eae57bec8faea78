# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Durations as people write them: ``7d``, ``26h``, ``1h30m``, ``2w``.

``m`` is minutes here, as in most programs. restic, whose options `backup prune` has,
uses it for months: `parse_period`, for retention, refuses ``m`` and requires ``min`` or
``mo``, because months read as minutes would delete what should be kept.
"""

from __future__ import annotations

import itertools
import re
from datetime import timedelta

#: Longest first; a year has 365 days and a month 30.
UNITS = {
    "y": timedelta(days=365),
    "mo": timedelta(days=30),
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "min": timedelta(minutes=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_RANK = {unit: -length for unit, length in UNITS.items()}
_PART = re.compile(r"([0-9]{1,12})([A-Za-z]+)")
_EXAMPLES = "like 7d, 26h, 1h30m or 2w (units y, mo, w, d, h, m or min, s)"
#: What `format_duration` uses: to a reader a month is no fixed number of days.
_SHOWN = ("d", "h", "min", "s")


def parse_duration(text: str) -> timedelta:
    """Parse a duration; ``m`` is minutes.

    :raises ValueError: with a text for the user, if it is not a positive whole
        number with a unit, or several from the longest unit to the shortest
    """
    parts = _split(text)
    units = [unit for _, unit in parts]
    ranks = [_RANK[unit] for unit in units]
    if any(rank >= after for rank, after in itertools.pairwise(ranks)):
        raise ValueError(
            f"'{text}': units go from the longest to the shortest, each once; "
            "m is minutes, mo is months"
        )
    return _add_up(text, parts)


def parse_period(text: str) -> timedelta:
    """Parse a retention period; like `parse_duration`, but ``m`` is refused.

    :raises ValueError: with a text for the user
    """
    for number, unit in _split(text):
        if unit == "m":
            raise ValueError(
                f"'{text}': is {number}m minutes or months? "
                f"Write {number}min or {number}mo."
            )
    return parse_duration(text)


def format_duration(span: timedelta) -> str:
    """Format a duration with its two largest units, such as ``8d2h``; never a sign."""
    rest = round(abs(span).total_seconds())
    parts: list[str] = []
    for unit in _SHOWN:
        count, rest = divmod(rest, round(UNITS[unit].total_seconds()))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"


def _split(text: str) -> list[tuple[int, str]]:
    """Split it into numbers and units.

    :raises ValueError: if anything else is in it, a unit is unknown or missing
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"'{text}' is not a valid duration {_EXAMPLES}")
    for _, unit in parts:
        if unit not in UNITS:
            raise ValueError(f"'{text}': unknown unit '{unit}'; write it {_EXAMPLES}")
    return [(int(number), unit) for number, unit in parts]


def _add_up(text: str, parts: list[tuple[int, str]]) -> timedelta:
    try:
        total = sum((number * UNITS[unit] for number, unit in parts), timedelta())
    except OverflowError as exc:
        raise ValueError(f"'{text}' is too long") from exc
    if not total:
        raise ValueError(f"'{text}' has to be longer than zero")
    return total
