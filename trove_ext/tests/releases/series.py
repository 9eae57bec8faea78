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

"""The releases of OpenStack whose Trove the commands are tested with. Data alone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Series:
    """One release of OpenStack, and what its sandbox is made of."""

    name: str
    """As in the names of the files in tools/constraints: ``2023.1``."""
    trove: str
    keystone: str
    python: str = "3.11"
    """The newest Python that its Trove runs on, of those that this project knows."""
    constrained: bool = True
    """Whether tools/constraints has a file; else tools/constraints.txt is used."""
    passed: str = ""
    """The date of the last run of all steps without an unexplained difference."""

    def __str__(self) -> str:
        return f"{self.name} (Trove {self.trove})"


#: All of them were run on this day.
LAST = "2026-11-30"
#: The newest version of each series that the index has, the oldest first.
SERIES = (
    # eventlet 0.33 fails with the threading module of Python 3.11.
    Series("2023.1", "19.0.1", "23.0.2", python="3.10", passed=LAST),
    Series("2023.2", "20.0.0", "24.1.0", python="3.10", passed=LAST),
    Series("2024.1", "21.1.0", "25.0.0", passed=LAST),
    Series("2024.2", "22.0.1", "26.1.1", passed=LAST),
    Series("2025.1", "23.1.0", "27.1.0", passed=LAST),
    Series("2025.2", "24.1.0", "28.1.0", passed=LAST),
    Series("2026.1", "25.1.0", "29.1.0", passed=LAST),
    Series("2026.2", "26.0.0", "30.0.0", constrained=False, passed=LAST),
)


def find(names: list[str]) -> list[Series]:
    """Return the series of these names, all if none is given.

    Raises LookupError for an unknown one.
    """
    known = {series.name: series for series in SERIES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise LookupError(f"{', '.join(unknown)}: known are {', '.join(known)}")
    return [known[name] for name in names] or list(SERIES)
