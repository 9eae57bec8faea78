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

"""The result of ``database backup verify`` for Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.osc.base.prometheus import Gauge, Sample, instance_labels
from trove_ext.trove import read
from trove_ext.workflows.restore.verify_all import Newest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.restore.verify import Verification

PREFIX = "trove_backup_verify_"


@dataclass(frozen=True, slots=True)
class Verified:
    """A verification, and the instance that its backup is of."""

    of: Newest
    good: bool
    seconds: float


def verified(
    cloud: Cloud, found: Sequence[Verification], newest: Sequence[Newest] | None
) -> list[Verified]:
    """Join each verification with the instance of its backup.

    If the backups were named, the backups and instances of the project are read. A
    clean-up, and a backup that was not found, are of no instance.

    :param newest: what was verified, if all instances were; None for named backups
    """
    if newest is None:
        owners, newest = _owners(cloud), ()
    else:
        owners = {each.backup.id: each for each in newest if each.backup}
    done = [
        Verified(owners[total.backup_id], each.error is None, total.seconds)
        for each in found
        for total in each.steps[-1:]
        if total.backup_id in owners
    ]
    lacking = [
        Verified(each, good=False, seconds=0.0)
        for each in newest
        if each.backup is None
    ]
    return [*done, *lacking]


def gauges(
    done: Sequence[Verified], now: datetime, project: Mapping[str, str]
) -> list[Gauge]:
    """Return the metrics of one run; of an instance the last verification counts.

    :param project: the labels ``region`` and ``tenant_id``
    """
    last = {each.of.instance_id: each for each in done}.values()

    def samples(value: Callable[[Verified], float | None]) -> list[Sample]:
        return [
            Sample(number, _labels(each.of, project))
            for each in last
            if (number := value(each)) is not None
        ]

    return [
        Gauge(
            f"{PREFIX}last_success_timestamp_seconds",
            "When a backup of the instance was last verified.",
            samples(lambda each: now.timestamp() if each.good else None),
        ),
        Gauge(
            f"{PREFIX}success",
            "Whether the last backup that was verified is good.",
            samples(lambda each: each.good),
        ),
        Gauge(
            f"{PREFIX}duration_seconds",
            "How long the last verification took.",
            samples(lambda each: each.seconds if each.of.backup else None),
        ),
        Gauge(
            f"{PREFIX}backup_timestamp_seconds",
            "Start of the last backup that was verified.",
            samples(_start),
        ),
        Gauge(
            f"{PREFIX}timestamp_seconds",
            "When the last verification ended.",
            [Sample(now.timestamp(), project)],
        ),
    ]


def _start(done: Verified) -> float | None:
    backup = done.of.backup
    return backup.created.timestamp() if backup and done.good else None


def _owners(cloud: Cloud) -> dict[str, Newest]:
    names = {each.id: each.name for each in read.list_instances(cloud)}
    return {
        backup.id: Newest(
            backup.instance_id,
            names.get(backup.instance_id or "", ""),
            backup.datastore,
            backup,
        )
        for backup in read.list_backups(cloud)
        if backup.instance_id is not None
    }


def _labels(of: Newest, project: Mapping[str, str]) -> dict[str, str]:
    return instance_labels(of.instance_id, of.name, of.datastore, project)
