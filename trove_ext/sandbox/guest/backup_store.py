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

"""A guest's side of Swift: where backups are stored, and read from.

As Trove's backup/storage/swift.py, whose objects these are: an archive of more than one
segment becomes a static large object, a smaller one is renamed by a copy. What an
incremental needs of its parent is in the metadata of the object.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from swiftclient.client import Connection
from swiftclient.exceptions import ClientException

CONTAINER = "database_backups"
"""Trove's default backup_swift_container."""
SEGMENT_BYTES = 2 * 1024**3
_PIECE = 1024 * 1024
_PREFIX = "x-object-meta-"
_PARENT, _PARENT_CHECKSUM = "parent-location", "parent-checksum"
_HTTP_NOT_FOUND = 404


class BackupMissingError(Exception):
    """The object, or a part of it, does not exist or is another one."""


@dataclass(frozen=True)
class BackupObject:
    """A backup as it is stored."""

    location: str
    """Its URL."""
    checksum: str
    """The ETag without quotes, which Trove compares before each restore."""
    size: int
    """Bytes."""
    metadata: dict[str, str] = field(default_factory=dict)
    """What the engine needs for an incremental on this one."""
    parent_location: str | None = None
    parent_checksum: str | None = None


class BackupStore:
    """The backups in one account of Swift.

    :param swift: a connection with the token of the user who asked for the operation
    :param is_allowed: called for each piece of data; raises an exception if the host
        of the guest has lost its power
    """

    def __init__(
        self,
        swift: Connection,
        container: str = CONTAINER,
        is_allowed: Callable[[], None] = lambda: None,
    ) -> None:
        self._swift = swift
        self._container = container
        self._is_allowed = is_allowed

    def save(
        self,
        name: str,
        archive: Path,
        metadata: Mapping[str, str],
        parent: BackupObject | None = None,
    ) -> BackupObject:
        """Upload the file of a backup and return the object.

        Raises ClientException, BackupMissingError if Swift has stored something else.
        """
        self._swift.put_container(self._container)
        headers = {f"{_PREFIX}{key}": value for key, value in metadata.items()}
        if parent:
            headers[_PREFIX + _PARENT] = parent.location
            headers[_PREFIX + _PARENT_CHECKSUM] = parent.checksum
        segments = list(self._upload(name.partition(".")[0], archive))
        if len(segments) > 1:
            checksum = _md5("".join(segment["etag"] for segment in segments))
            self._swift.put_object(
                self._container,
                name,
                json.dumps(segments),
                headers=headers,
                query_string="multipart-manifest=put",
            )
        else:
            checksum = segments[0]["etag"]
            self._rename(segments[0]["path"], name, headers)
        return self.find(f"{self._swift.url}/{self._container}/{name}", checksum)

    def _upload(self, name: str, archive: Path) -> Iterator[dict[str, Any]]:
        """Upload segments and yield the entries of a manifest."""
        left = archive.stat().st_size
        with archive.open("rb") as content:
            for number in range(max(1, -(-left // SEGMENT_BYTES))):
                size = min(left, SEGMENT_BYTES)
                segment = f"{name}_{number:08d}"
                start = number * SEGMENT_BYTES
                reader = _Segment(content, start, size, self._is_allowed)
                etag = self._swift.put_object(
                    self._container, segment, reader, content_length=size
                )
                if etag != reader.checksum:
                    raise BackupMissingError(f"Swift has damaged segment {segment}")
                path = f"{self._container}/{segment}"
                yield {"path": path, "etag": etag, "size_bytes": size}
                left -= size

    def _rename(self, path: str, name: str, headers: dict[str, str]) -> None:
        headers["X-Copy-From"] = path
        self._swift.put_object(self._container, name, "", headers=headers)
        self._swift.delete_object(*path.split("/", 1))

    def find(self, location: str, checksum: str | None) -> BackupObject:
        """Return the object at *location*.

        :param checksum: the one that it has to have
        Raises BackupMissingError, also if it is another object now.
        """
        try:
            headers = self._swift.head_object(*_parts(location))
        except ClientException as exc:
            if exc.http_status != _HTTP_NOT_FOUND:
                raise
            raise BackupMissingError(f"No backup object {location}") from exc
        metadata = {
            key.removeprefix(_PREFIX): value
            for key, value in headers.items()
            if key.startswith(_PREFIX)
        }
        stored = BackupObject(
            location=location,
            checksum=headers["etag"].strip('"'),
            size=int(headers["content-length"]),
            parent_location=metadata.pop(_PARENT, None),
            parent_checksum=metadata.pop(_PARENT_CHECKSUM, None),
            metadata=metadata,
        )
        if stored.checksum != checksum:
            raise BackupMissingError(
                f"Backup object {location} has checksum {stored.checksum}, "
                f"{checksum} was expected"
            )
        return stored

    def chain(self, location: str, checksum: str) -> list[BackupObject]:
        """Return the objects that a restore of *location* needs, the full one first.

        As incremental_restore in Trove's backup/drivers/mysql_base.py follows it: each
        names its parent and the checksum that the parent had. Raises
        BackupMissingError.
        """
        links = [self.find(location, checksum)]
        while (parent := links[0].parent_location) is not None:
            links.insert(0, self.find(parent, links[0].parent_checksum))
        return links

    def load(self, stored: BackupObject, target: IO[bytes]) -> None:
        """Write the content of an object into a file, which is then at its start."""
        _headers, pieces = self._swift.get_object(
            *_parts(stored.location), resp_chunk_size=_PIECE
        )
        for piece in pieces:
            self._is_allowed()
            target.write(piece)
        target.seek(0)


class _Segment:
    """A part of a file, and the checksum of what has been read of it."""

    def __init__(
        self,
        content: IO[bytes],
        start: int,
        size: int,
        is_allowed: Callable[[], None],
    ) -> None:
        self._content = content
        self._start = start
        self._size = size
        self._is_allowed = is_allowed
        self.reset()

    @property
    def checksum(self) -> str:
        return str(self._digest.hexdigest())

    def read(self, size: int = _PIECE) -> bytes:
        self._is_allowed()
        piece = self._content.read(min(size, self._left))
        self._left -= len(piece)
        self._digest.update(piece)
        return piece

    def reset(self) -> None:
        """Start again, for another attempt."""
        self._content.seek(self._start)
        self._left = self._size
        self._digest = hashlib.md5(usedforsecurity=False)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _parts(location: str) -> tuple[str, str]:
    """Return the container and the name of an object; raises BackupMissingError."""
    url, _, name = location.rpartition("/")
    if not url:
        raise BackupMissingError(f"No backup object {location!r}")
    return url.rpartition("/")[2], name
