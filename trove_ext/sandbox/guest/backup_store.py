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

"""The store of backups, the stand-in for Swift: the guest's side and Trove's side.

The guest writes the object and ``<backup_id>.json``, which Trove keeps as the object's
metadata; the Swift stand-in responds to HEAD and DELETE from both.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

CONTAINER = "database_backups"
"""Trove's default backup_swift_container."""


class BackupMissingError(Exception):
    """The object, or a part of it, does not exist."""


@dataclass(frozen=True)
class BackupObject:
    """A backup as it is stored, with the metadata that Trove keeps in Swift.

    See get_metadata in Trove's backup/drivers.
    """

    location: str
    checksum: str
    """MD5, compared with Swift's etag before each restore."""
    size: int
    """Bytes."""
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    """What the engine needs for an incremental on this one."""
    parent_location: str | None = None
    parent_checksum: str | None = None


class BackupStore:
    """All backups of one sandbox, by their location: a URL, or its last part alone."""

    def __init__(self, state_dir: Path) -> None:
        self._root = state_dir / "backups"

    def archive(self, location: str) -> Path:
        """Return the file of the object at *location*."""
        return self._root / location.rpartition("/")[2]

    def scratch(self, backup_id: str) -> Path:
        """Return a directory for temporary files of a backup."""
        return self._root / f"{backup_id}.tmp"

    def save(self, stored: BackupObject) -> None:
        """Register an object whose archive is complete."""
        text = json.dumps(dataclasses.asdict(stored), indent=1)
        _sidecar(self.archive(stored.location)).write_text(text)

    def find(self, location: str) -> BackupObject:
        """Return the object at *location*; raises BackupMissingError."""
        archive = self.archive(location)
        if not archive.exists() or not _sidecar(archive).exists():
            raise BackupMissingError(f"No backup object {location}")
        return BackupObject(**json.loads(_sidecar(archive).read_text()))

    def all(self) -> list[BackupObject]:
        """Return all objects."""
        texts = [path.read_text() for path in sorted(self._root.glob("*.json"))]
        return [BackupObject(**json.loads(text)) for text in texts]

    def delete(self, location: str) -> None:
        """Remove an object; raises BackupMissingError if there is none."""
        archive = self.archive(self.find(location).location)
        archive.unlink()
        _sidecar(archive).unlink()

    def chain(self, location: str) -> list[BackupObject]:
        """Return the objects that a restore of *location* needs, the full one first.

        As incremental_restore in Trove's backup/drivers/mysql_base.py walks it: each
        names its parent and the checksum that the parent had. Raises
        BackupMissingError.
        """
        links = [self.find(location)]
        while links[0].parent_location is not None:
            parent = self.find(links[0].parent_location)
            _check_same(parent, links[0].parent_checksum)
            links.insert(0, parent)
        return links


def _sidecar(archive: Path) -> Path:
    # An ID has no dot, the ending of an object may have two.
    return archive.with_name(f"{archive.name.partition('.')[0]}.json")


def _check_same(stored: BackupObject, checksum: str | None) -> None:
    if stored.checksum != checksum:
        raise BackupMissingError(
            f"Backup object {stored.location} has checksum {stored.checksum}, "
            f"{checksum} was expected"
        )
