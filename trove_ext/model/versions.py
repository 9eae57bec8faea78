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

"""Whether the data of one version of a database can be used by another version.

Backups of Trove are copies of the files of a database, so the server of the new
instance reads the files of the old one. The first number of a version is the major one,
as Trove has it (``trove/guestagent/common/guestagent_utils.py``,
``prevent_major_version_upgrade``).
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trove_ext.model.engine import Engine

_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


class Fit(enum.Enum):
    """How a version fits data of another; the first are the better ones."""

    SAME = "the same version"
    NEWER = "a newer minor version"
    UNKNOWN = "the versions can't be compared"
    MAJOR = "a newer major version"
    OLDER = "an older version"
    UNREADABLE = "another major version, which can't read the files of the backup"


#: The fits that need no special decision.
USABLE = (Fit.SAME, Fit.NEWER, Fit.UNKNOWN, Fit.MAJOR)


def numbers(version: str | None) -> tuple[int, ...]:
    """Return the numbers of a version; empty if its name has none.

    >>> numbers("10.11-lts")
    (10, 11)
    """
    found = _NUMBERS.search(version or "")
    return tuple(map(int, found[0].split("."))) if found else ()


def fit(taken: str | None, wanted: str | None, engine: Engine) -> Fit:
    """Compare the version that wrote the data with the one that is to read it."""
    if taken is not None and taken == wanted:
        return Fit.SAME
    old, new = numbers(taken), numbers(wanted)
    if not old or not new:
        return Fit.UNKNOWN
    if old[0] != new[0] and not engine.reads_older_major:
        return Fit.UNREADABLE
    # "5.7" may be any 5.7.x: what one of them does not name is not compared.
    length = min(len(old), len(new))
    if new[:length] < old[:length]:
        return Fit.OLDER
    return Fit.NEWER if old[0] == new[0] else Fit.MAJOR
