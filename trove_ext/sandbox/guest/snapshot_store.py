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
"""The data of volume snapshots: copies of the data directories of instances.

What is on the volume of an instance is its data directory; see `Layout.data`.
"""

import shutil
from pathlib import Path

from trove_ext.sandbox.guest import programs
from trove_ext.sandbox.guest.layout import Layout


class SnapshotStore:
    """The data of all volume snapshots of one sandbox, by ID of the snapshot."""

    def __init__(self, state_dir: Path) -> None:
        self._snapshots = state_dir / "snapshots"
        self._instances = state_dir / "instances"

    def take(self, snapshot_id: str, instance_id: str) -> None:
        """Copy the data of an instance, which must not change meanwhile.

        Raises ProgramError if cp fails, for instance on a full disk.
        """
        self._snapshots.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _copy(self._data(instance_id), self._snapshots / snapshot_id)
        except programs.ProgramError:
            self.delete(snapshot_id)
            raise

    def write_to(self, snapshot_id: str, instance_id: str) -> None:
        """Copy the data of a snapshot to a new instance.

        Raises ProgramError if cp fails.
        """
        data = self._data(instance_id)
        data.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _copy(self._snapshots / snapshot_id, data)

    def delete(self, snapshot_id: str) -> None:
        """Remove the data of a snapshot."""
        shutil.rmtree(self._snapshots / snapshot_id, ignore_errors=True)

    def _data(self, instance_id: str) -> Path:
        return Layout(self._instances / instance_id).data


def _copy(source: Path, target: Path) -> None:
    """Copy a directory, by reflink if the disk supports that; *target* must not exist.

    Without -T the source would be copied into an existing target.
    """
    command = ["cp", "-aT", "--reflink=auto", "--sparse=always"]
    programs.run([*command, str(source), str(target)])
