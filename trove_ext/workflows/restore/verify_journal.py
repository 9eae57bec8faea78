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

"""The steps of a verification, as they are recorded and reported."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError, TroveExtError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.trove.client import Cloud

FAILED = "FAILED"
UNKNOWN = "not seen"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a verification, or the whole of it (``total``).

    :ivar backup: its name
    :ivar backup_id: None if it was not found
    :ivar detail: what was found, or why it failed
    """

    backup: str
    backup_id: str | None
    name: str
    result: str
    seconds: float
    detail: str = ""


class Journal:
    """Record each step with its time, and report it."""

    def __init__(self, cloud: Cloud, backup: str, backup_id: str | None) -> None:
        self._cloud = cloud
        self._start = cloud.clock.monotonic()
        self.backup = backup
        self.backup_id = backup_id
        self.steps: list[Step] = []

    def start(self) -> None:
        """Measure the whole from now on."""
        self._start = self._cloud.clock.monotonic()

    @contextlib.contextmanager
    def step(
        self, name: str, result: str, unknown: tuple[type[TroveExtError], ...] = ()
    ) -> Iterator[list[str]]:
        """Measure a step; what is appended to the list becomes its detail.

        :param unknown: errors after which it is not known whether the step would fail
        """
        start = self._cloud.clock.monotonic()
        details: list[str] = []
        try:
            yield details
        except TroveExtError as exc:
            failed = UNKNOWN if isinstance(exc, unknown) else FAILED
            self._add(name, failed, start, in_short(exc))
            raise
        self._add(name, result, start, ", ".join(details))

    def skip(self, name: str, result: str, detail: str) -> None:
        """Record a step that was not carried out."""
        self._add(name, result, self._cloud.clock.monotonic(), detail)

    def total(self, result: str) -> None:
        """Record the verdict."""
        self._add("total", result, self._start, "")

    def _add(self, name: str, result: str, start: float, detail: str) -> None:
        seconds = round(self._cloud.clock.monotonic() - start, 1)
        self.steps.append(
            Step(self.backup, self.backup_id, name, result, seconds, detail)
        )
        why = f": {detail}" if result == FAILED and detail else ""
        self._cloud.progress.note(
            f"{self.backup or 'Left behind'}: {name}: {result} ({seconds:.1f} s){why}"
        )


def in_short(error: TroveExtError) -> str:
    """Format an error for a cell: without what to do next."""
    if isinstance(error, CheckError):
        return "; ".join(error.problems)
    return str(error).splitlines()[0]
