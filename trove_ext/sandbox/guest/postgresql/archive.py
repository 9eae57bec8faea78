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

"""The WAL archive of an instance, as Trove's backup driver and guest read it.

The originals are PgBasebackup in Trove's backup/drivers/postgres.py, and
clean_wal_archives in trove/guestagent/datastore/postgres/manager.py. Both trust the
order of names.
"""

import re
from pathlib import Path

# get_backup_file and get_wal_files there. The first isn't anchored: it also matches
# a file that archive_command is writing (....backup.tmp).
_HISTORY = r"[0-9A-F]{24}\..*\.backup"
_SEGMENT = re.compile(r"^[0-9A-F]{24}$")
_FACTS = {
    "start-segment": re.compile(r"START WAL LOCATION: (.*) \(file .*\)"),
    "start-wal-file": re.compile(r"START WAL LOCATION: .* \(file (.*)\)"),
    "stop-segment": re.compile(r"STOP WAL LOCATION: (.*) \(file .*\)"),
    "stop-wal-file": re.compile(r"STOP WAL LOCATION: .* \(file (.*)\)"),
    "checkpoint-location": re.compile(r"CHECKPOINT LOCATION: (.*)"),
    "label": re.compile(r"LABEL: (.*)"),
}

# WAL_SAFETY_FACTOR of the manager.
_SAFETY_FACTOR = 5


class Archive:
    """The directory that archive_command copies segments into."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def backup_file(self, position: int = 0, pattern: str = _HISTORY) -> str | None:
        """Return the history file of the newest backup but *position*; get_backup_file.

        None if there is no such file at all, IndexError if there are too few.
        """
        found = [name for name in self._names() if re.search(pattern, name)]
        return sorted(found, reverse=True)[position] if found else None

    def has_backup_that_stopped_in(self, segment: str) -> bool:
        """Whether the history file of a parent still exists; pre_backup."""
        return self.backup_file(0, rf"{segment}\..+\.backup") is not None

    def segments_since(self, position: int) -> list[str]:
        """Return the segments that an incremental consists of; get_wal_files.

        They start at the last backup but *position* of this server, whatever backup
        is the parent, and leave out the history files of timelines.
        """
        first = (self.backup_file(position) or "").split(".")[0]
        names = self._names()
        return sorted(x for x in names if _SEGMENT.search(x) and x >= first)

    def facts(self, name: str) -> dict[str, str]:
        """Read a backup's history file; get_backup_metadata."""
        text = (self._path / name).read_text()
        found = {key: pattern.search(text) for key, pattern in _FACTS.items()}
        return {key: match.group(1) for key, match in found.items() if match}

    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(path.stat().st_size for path in self._path.iterdir())

    def clean(self, max_wal_size: int, volume: int) -> None:
        """Clean up if the archive is too large; _clean_wals.

        Everything older than the newest backup is deleted, and if that is not enough
        all but the newest file: then no incremental is possible until the next full
        backup. *max_wal_size* and *volume* are bytes.
        """
        if self._is_too_large(max_wal_size, volume):
            newest = sorted(self._names(), reverse=True)[:1]
            backup = self.backup_file(0, r"[0-9A-F]{24}.*.backup")
            self._remove_older([backup] if backup else newest)
            if self._is_too_large(max_wal_size, volume):
                self._remove_older(sorted(self._names(), reverse=True)[:1])

    def _is_too_large(self, max_wal_size: int, volume: int) -> bool:
        size = self.size()
        return size > max_wal_size * _SAFETY_FACTOR or size > volume / 2

    def _remove_older(self, than: list[str]) -> None:
        for name in self._names() if than else []:
            if re.match(r"[0-9A-F]{24}", name) and name[:24] < than[0][:24]:
                (self._path / name).unlink(missing_ok=True)

    def _names(self) -> list[str]:
        return [path.name for path in self._path.iterdir()]


def in_bytes(setting: str) -> int:
    """Return a size from SHOW, "1GB", in bytes; _get_max_wal_size_bytes."""
    units = {"": 20, "kB": 10, "MB": 20, "GB": 30, "TB": 40}
    number = setting.rstrip("kMGTB")
    return int(number) << units[setting[len(number) :]]
