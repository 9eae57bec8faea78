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

"""The engine of a datastore: given by the user, else by the datastore's name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from trove_ext.model import engine

if TYPE_CHECKING:
    from trove_ext.model.engine import Engine
    from trove_ext.progress import Progress

#: Names the engine of every datastore, for clouds whose datastores have names that
#: don't show it.
VARIABLE = "TROVE_EXT_ENGINE"


class Engines:
    """Finds engines, and warns once if one is assumed."""

    def __init__(self, progress: Progress, chosen: str | None = None) -> None:
        """Use the engine that the user gives.

        :param chosen: a name of :data:`trove_ext.model.engine.ENGINES`; without it the
            environment variable counts
        """
        self._progress = progress
        self._assumed: set[str] = set()
        named = chosen or os.environ.get(VARIABLE) or ""
        self._chosen = engine.ENGINES.get(named.lower())
        if named and self._chosen is None:
            progress.warn(
                f"{VARIABLE}={named} is ignored: it is none of "
                f"{', '.join(engine.ENGINES)}."
            )

    def look(self, datastore: str | None) -> Engine:
        """Return the engine of a datastore; MySQL if it is not known."""
        return self._chosen or engine.of(datastore)

    def of(self, datastore: str | None) -> Engine:
        """Return the engine if a promise depends on it: an assumption is reported.

        :param datastore: its name, as an instance or a backup has it
        """
        found = self._chosen or engine.recognize(datastore)
        if found is not None:
            return found
        label = datastore or "(not reported by Trove)"
        if label not in self._assumed:
            self._assumed.add(label)
            self._progress.warn(
                f"The name of datastore {label} does not show its engine; the rules of "
                f"{engine.MYSQL.title} are used. If it is another one, set {VARIABLE} "
                f"to one of {', '.join(engine.ENGINES)}."
            )
        return engine.MYSQL
