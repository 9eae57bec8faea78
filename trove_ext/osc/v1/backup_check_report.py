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

"""The verdicts of ``database backup check`` for Nagios and for Prometheus."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trove_ext.model.durations import format_duration
from trove_ext.osc.base.nagios import Metric, Report, State
from trove_ext.osc.base.prometheus import Gauge, Sample, instance_labels
from trove_ext.workflows.backup.check import Level, is_good, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from trove_ext.trove.quotas import Quota
    from trove_ext.workflows.backup.check import Checked, Verdict

STATES = {
    Level.OK: State.OK,
    Level.WARNING: State.WARNING,
    Level.UNKNOWN: State.UNKNOWN,
    Level.CRITICAL: State.CRITICAL,
}


def nagios_report(found: Checked) -> Report:
    """Return the output of a monitoring plugin, with a line for each instance."""
    verdicts = found.verdicts
    return Report(
        STATES[worst(verdicts)],
        _summary(verdicts),
        tuple(_metrics(verdicts)),
        (*map(_detail, verdicts), *map(str, found.left_out)),
    )


def _summary(verdicts: Sequence[Verdict]) -> str:
    """Summarize those that are not OK, the worst first."""
    total = len(verdicts)
    bad = sorted(
        (verdict for verdict in verdicts if verdict.level is not Level.OK),
        key=lambda verdict: -verdict.level,
    )
    if not bad:
        return f"{total} of {total} with a good backup"
    names = "; ".join(f"{verdict.name} ({_brief(verdict)})" for verdict in bad)
    if worst(verdicts) is Level.WARNING:
        return f"{len(bad)} of {total} with a backup that is getting old: {names}"
    lacking = sum(not is_good(verdict) for verdict in verdicts)
    return f"{lacking} of {total} without a good backup: {names}"


def _brief(verdict: Verdict) -> str:
    if verdict.age is None or verdict.limit is None:
        return str(verdict.problem)
    age, limit = format_duration(verdict.age), format_duration(verdict.limit)
    return f"{age} old, limit {limit}"


def _detail(verdict: Verdict) -> str:
    start = f"{verdict.name} {STATES[verdict.level].name} - "
    if verdict.problem is not None or verdict.backup is None or verdict.age is None:
        return start + str(verdict.problem)
    age = format_duration(verdict.age)
    member = f" of {verdict.member.name}" if verdict.member else ""
    length = verdict.chain_length
    return f"{start}{verdict.backup}{member}, {age} old, chain of {length}"


def _metrics(verdicts: Sequence[Verdict]) -> Iterator[Metric]:
    """Yield age and chain of each instance that has a backup, then totals."""
    label = _labels(verdicts)
    for verdict in verdicts:
        limits = verdict.limits
        if verdict.age is not None and limits is not None:
            age = verdict.age.total_seconds()
            name = f"{label(verdict)}_age"
            warning = limits.warning.total_seconds() if limits.warning else None
            critical = limits.critical.total_seconds()
            yield Metric(name, age, "s", warning, critical, least=0)
            yield Metric(f"{label(verdict)}_chain", verdict.chain_length, least=1)
    bad = sum(not is_good(verdict) for verdict in verdicts)
    yield Metric("bad", bad, critical=0, least=0, most=len(verdicts))


def _labels(verdicts: Sequence[Verdict]) -> Callable[[Verdict], str]:
    """Label an instance by its name; with the start of its ID if several have it."""
    names = Counter(verdict.name for verdict in verdicts)

    def label(verdict: Verdict) -> str:
        if names[verdict.name] == 1 or verdict.instance_id is None:
            return verdict.name
        return f"{verdict.name}-{verdict.instance_id[:8]}"

    return label


def gauges(
    verdicts: Sequence[Verdict],
    quota: Quota | None,
    now: datetime,
    project: Mapping[str, str],
) -> list[Gauge]:
    """Return the metrics of one project.

    An instance without a restorable backup has ``trove_backup_good`` 0 and no
    timestamp: there is no time to report.

    :param quota: of backups; None if the user may not read it
    :param project: the labels ``region`` and ``tenant_id``
    """
    labels = {id(verdict): _labels_of(verdict, project) for verdict in verdicts}

    def samples(value: Callable[[Verdict], float | None]) -> list[Sample]:
        pairs = [(value(verdict), labels[id(verdict)]) for verdict in verdicts]
        return [Sample(number, found) for number, found in pairs if number is not None]

    return [
        Gauge(
            "trove_backup_newest_restorable_timestamp_seconds",
            "Start of the newest backup whose whole chain can be restored.",
            samples(_timestamp),
        ),
        Gauge(
            "trove_backup_chain_length",
            "How many backups a restore of the newest restorable one reads.",
            samples(lambda verdict: verdict.chain_length or None),
        ),
        Gauge(
            "trove_backup_good",
            "Whether there is a restorable backup that is not older than --critical.",
            samples(is_good),
        ),
        Gauge(
            "trove_backup_running",
            "Whether a backup of the instance is in progress.",
            samples(lambda verdict: verdict.running),
        ),
        *_quota_gauges(quota, project),
        Gauge(
            "trove_backup_check_timestamp_seconds",
            "When the backups were last checked.",
            [Sample(now.timestamp(), project)],
        ),
    ]


def _quota_gauges(quota: Quota | None, project: Mapping[str, str]) -> Iterator[Gauge]:
    if quota is None:
        return
    yield Gauge(
        "trove_backup_quota_used",
        "Backups that count in the quota of the project.",
        [Sample(quota.used, project)],
    )
    if quota.limit >= 0:
        yield Gauge(
            "trove_backup_quota_limit",
            "The quota of backups of the project; missing if there is no limit.",
            [Sample(quota.limit, project)],
        )


def _timestamp(verdict: Verdict) -> float | None:
    if verdict.backup is None or verdict.age is None:
        return None
    return verdict.backup.created.timestamp()


def _labels_of(verdict: Verdict, project: Mapping[str, str]) -> dict[str, str]:
    source = verdict.instance or verdict.backup
    datastore = source.datastore if source else None
    return instance_labels(verdict.instance_id, verdict.name, datastore, project)
