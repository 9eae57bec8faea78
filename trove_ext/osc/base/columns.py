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
"""Values that a table shows differently than a machine format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from cliff import columns

from trove_ext.model.durations import format_duration
from trove_ext.osc.base.escape import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    _Column = columns.FormattableColumn[Any]
else:
    # Generic from cliff 4.9 on (``cliff/columns.py``).
    _Column = columns.FormattableColumn

T = TypeVar("T")
#: The result of a Lister for cliff: the names of the columns, and the rows.
Table = tuple[tuple[str, ...], list[tuple[Any, ...]]]

_ASCII_LINES = str.maketrans("│├└", "||`")


class Shown(_Column):
    """A value, and its text in a table."""

    def __init__(self, value: Any, text: str) -> None:
        super().__init__(value)
        self._text = text

    def human_readable(self) -> str:
        """Return the text, with control characters escaped."""
        return escape(self._text)

    def __lt__(self, other: object) -> bool:
        """Sort by the value; missing values first, as in stock lists."""
        if not isinstance(other, Shown):
            return NotImplemented
        if self._value is None or other._value is None:
            return self._value is None and other._value is not None
        return bool(self._value < other._value)


def table(
    names: Sequence[str], things: Iterable[T], cells: Callable[[T], Mapping[str, Any]]
) -> Table:
    """Lay out resources in columns, one row each.

    :param cells: returns the cells of a resource, by column name; may have more columns
    """
    rows = []
    for thing in things:
        values = cells(thing)
        rows.append(tuple(values[name] for name in names))
    return tuple(names), rows


def plain(cell: Any) -> Any:
    """Return the value of a cell for machine formats."""
    if isinstance(cell, columns.FormattableColumn):
        return cell.machine_readable()
    return cell


def text(value: str | None) -> Shown:
    """Show a text from the cloud, and a dash for none."""
    return Shown(value, value or "-")


def number(value: float | None) -> Shown:
    """Show a number, and a dash for none."""
    return Shown(value, "-" if value is None else f"{value:g}")


def yes_no(value: bool) -> Shown:
    """Show a truth value."""
    return Shown(value, "yes" if value else "no")


def moment(value: datetime | None) -> Shown:
    """Show a time in UTC; ISO 8601 for machines."""
    if value is None:
        return Shown(None, "-")
    spelled = value.isoformat(timespec="seconds")
    return Shown(spelled, spelled.replace("T", " ").replace("+00:00", " UTC"))


def span(value: timedelta | None) -> Shown:
    """Show a duration; whole seconds for machines."""
    if value is None:
        return Shown(None, "-")
    return Shown(round(value.total_seconds()), format_duration(value))


def leaf(name: str, branch: str) -> Shown:
    """Show a name in a drawn tree; a narrow table does not break it up.

    :param branch: of :func:`branches`
    """
    if not branch.isascii():
        branch = branch.replace(" ", "\N{NO-BREAK SPACE}")
    return Shown(name, branch + name)


def branches(depths: Sequence[int], encoding: str | None = "utf-8") -> list[str]:
    """Draw a tree: the prefix of each name, given its depth.

    :param depths: in the order of the drawing, a parent before its children
    :param encoding: of the output stream: not every encoding has the lines of a tree
    """
    drawn: list[str] = []
    going_on: set[int] = set()
    for depth in reversed(depths):
        going_on = {level for level in going_on if level <= depth}
        stems = ("│ " if level in going_on else "  " for level in range(1, depth))
        fork = ("├ " if depth in going_on else "└ ") if depth else ""
        drawn.append("".join(stems) + fork)
        going_on.add(depth)
    if not _has_lines(encoding):
        drawn = [branch.translate(_ASCII_LINES) for branch in drawn]
    return drawn[::-1]


def _has_lines(encoding: str | None) -> bool:
    try:
        "│├└".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
