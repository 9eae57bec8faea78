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

"""Where the files of one instance are; pure."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """What every engine has; each adds files of its own."""

    root: Path

    @property
    def data(self) -> Path:
        """What is on the instance's volume."""
        return self.root / "data"

    @property
    def overrides(self) -> Path:
        """Directory of files that the configuration includes."""
        return self.root / "conf.d"

    @property
    def error_log(self) -> Path:
        """What the database server writes for people."""
        return self.root / "error.log"

    @property
    def prepared(self) -> Path:
        """There once Trove's prepare has ended well; holds the datastore version."""
        return self.root / "prepared"
