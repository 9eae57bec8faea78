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

"""What differs with an older Trove. Data alone.

The documents list it, and ``tox -e releases`` fails for any difference that is not
here, and for one that is here and does not occur.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """A step that ends differently with some releases."""

    line: str
    """The command line of the step; see `steps`."""
    series: tuple[str, ...]
    shows: str
    """A regular expression that the output contains with these releases."""
    reason: str
    """For the documents: what Trove does, and where in its code."""
    code: int = 0
    """The exit code with these releases."""


@dataclass(frozen=True)
class Absence:
    """What releases do not have yet, so that no command can use it."""

    before: str
    """The first series that has it."""
    what: str


_LOST = (
    "``replica detach``, ``instance detach`` and ``instance upgrade``: Trove takes the"
    " configuration group away from the instance; a warning names the command that"
    " attaches it again (``update`` in ``trove/instance/service.py``)."
)
_LOSING = ("2023.1", "2024.1", "2024.2")

DIFFERENCES = (
    Difference(
        "replica detach r5 --wait", _LOSING, "has lost its configuration group", _LOST
    ),
    Difference("instance show r5", _LOSING, r"(?s)\A(?!.*\| configuration )", _LOST),
)
ABSENCES: tuple[Absence, ...] = (
    Absence("2025.1", "backups as volume snapshots (``--storage-driver``)"),
    Absence("2026.1", "the ID of a request in Trove's responses"),
)


def find(series: str, line: str) -> Difference | None:
    """Return the difference of a step with a release, if there is one."""
    for known in DIFFERENCES:
        if series in known.series and known.line == line:
            return known
    return None


def of(series: str) -> tuple[Difference, ...]:
    """Return all differences of a release."""
    return tuple(known for known in DIFFERENCES if series in known.series)


def absences(series: str) -> tuple[Absence, ...]:
    """Return what a release does not have."""
    return tuple(known for known in ABSENCES if series < known.before)
