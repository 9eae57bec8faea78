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

"""The paths of the files of one instance; pure."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The files of every engine; each adds its own."""

    root: Path

    @property
    def data(self) -> Path:
        """The content of the instance's volume."""
        return self.root / "data"

    @property
    def overrides(self) -> Path:
        """Directory of files that the configuration includes."""
        return self.root / "conf.d"

    @property
    def error_log(self) -> Path:
        """The log of the database server."""
        return self.root / "error.log"

    @property
    def prepared(self) -> Path:
        """Exists once Trove's prepare has succeeded; contains the datastore version."""
        return self.root / "prepared"
