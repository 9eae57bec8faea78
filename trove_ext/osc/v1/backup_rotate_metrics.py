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

"""The result of ``database backup rotate`` for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.osc.base.prometheus import Gauge, Sample, instance_labels
from trove_ext.workflows.backup.rotate_start import How

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from trove_ext.workflows.backup.rotate_job import RotateRow

PREFIX = "trove_backup_rotate_"


def gauges(
    rows: Sequence[RotateRow], now: datetime, project: Mapping[str, str]
) -> list[Gauge]:
    """Return the metrics of one run; a replica set has those of its source.

    Without a success of this run there is no time of it: that of an earlier run is
    carried over.

    :param project: the labels ``region`` and ``tenant_id``
    """
    labels = [_labels(row, project) for row in rows]

    def samples(value: Callable[[RotateRow], float | None]) -> list[Sample]:
        pairs = [(value(row), found) for row, found in zip(rows, labels, strict=True)]
        return [Sample(number, found) for number, found in pairs if number is not None]

    return [
        Gauge(
            f"{PREFIX}last_success_timestamp_seconds",
            "When a rotation of the instance last ended well.",
            samples(lambda row: None if row.error else now.timestamp()),
        ),
        Gauge(
            f"{PREFIX}success",
            "Whether the last rotation of the instance ended well.",
            samples(lambda row: row.error is None),
        ),
        Gauge(
            f"{PREFIX}duration_seconds",
            "How long the last backup of the rotation took.",
            samples(_duration),
        ),
        Gauge(
            f"{PREFIX}made",
            "How many backups the last rotation took, or waited for.",
            samples(lambda row: row.how in {How.MADE, How.ADOPTED}),
        ),
        Gauge(
            f"{PREFIX}deleted",
            "How many backups the last rotation deleted.",
            samples(lambda row: row.deleted),
        ),
        Gauge(
            f"{PREFIX}kept",
            "How many backups there were after retention; missing without retention.",
            samples(lambda row: len(row.pruned) - row.deleted if row.pruned else None),
        ),
        Gauge(
            f"{PREFIX}timestamp_seconds",
            "When the last rotation ended.",
            [Sample(now.timestamp(), project)],
        ),
    ]


def ids(rows: Sequence[RotateRow]) -> set[str]:
    """Return the IDs that the instances and replica sets of a run are labelled with."""
    return {_labels(row, {})["id"] for row in rows}


def _duration(row: RotateRow) -> float | None:
    """Return the seconds from the start of a backup to its end, by Trove's clock."""
    backup = row.backup
    if backup is None or not backup.is_completed:
        return None
    return (backup.updated - backup.created).total_seconds()


def _labels(row: RotateRow, project: Mapping[str, str]) -> dict[str, str]:
    found = row.found
    head = found.group.head if found.group else found.instance
    if head is None:
        return instance_labels(found.instance_id, found.name, None, project)
    return instance_labels(head.id, head.name, head.datastore, project)
