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
"""The output of a monitoring plugin, as Nagios, Icinga and Naemon read it.

Source: the Nagios plugin API (pluginapi) and the Monitoring Plugins guidelines: the
first line is the status, everything after its first ``|`` is performance data, further
lines are details; the exit code is the state.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class State(enum.IntEnum):
    """A state of the plugin API; its value is the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Metric:
    """One item of performance data.

    :ivar unit: s, %, B, c or nothing
    :ivar warning: threshold in the same unit; None for none
    :ivar critical: threshold in the same unit; None for none
    :ivar least: the smallest possible value; None if there is none
    :ivar most: the largest possible value; None if there is none
    """

    label: str
    value: float
    unit: str = ""
    warning: float | None = None
    critical: float | None = None
    least: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        label = "".join(" " if char in "='|\n\r" else char for char in self.label)
        limits = [self.warning, self.critical, self.least, self.most]
        words = [f"{_number(self.value)}{self.unit}"]
        words += ["" if limit is None else _number(limit) for limit in limits]
        return f"'{label}'={';'.join(words).rstrip(';')}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a plugin has found.

    :ivar summary: in one line
    :ivar details: one line for each item that was checked
    """

    state: State
    summary: str
    metrics: Sequence[Metric] = ()
    details: Sequence[str] = ()


def render(service: str, report: Report) -> str:
    """Return the whole output, with a line break at its end.

    :param service: the first word of the status line: BACKUP, REPLICATION
    """
    data = " ".join(map(str, report.metrics))
    first = f"{service} {report.state.name} - {_line(report.summary)}"
    lines = [f"{first}|{data}" if data else first, *map(_line, report.details)]
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    """Return a text on one line, without the character that begins performance data."""
    return " ".join(text.replace("|", "/").split())


def _number(value: float) -> str:
    """Format a number without an exponent and without an empty fraction."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
