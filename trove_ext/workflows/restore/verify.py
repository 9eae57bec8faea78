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

"""Verify a backup: restore it into a temporary instance, check it, delete it.

Trove keeps a checksum of the object in the store and nothing else
(``trove/backup/models.py``); only a restore shows that a chain becomes a working
database with the data in it.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    CheckError,
    ResourceFailedError,
    TroveExtError,
    WaitTimeoutError,
)
from trove_ext.follow_up import Problem, merged
from trove_ext.trove import conditions, find, read, wait_report
from trove_ext.workflows.restore import (
    contents,
    restore,
    scratch_instance,
    upgrade,
)
from trove_ext.workflows.restore.recovery import UnprovedError
from trove_ext.workflows.restore.restore import SettingsError
from trove_ext.workflows.restore.scratch_instance import Temporary
from trove_ext.workflows.restore.source import Source, find_source
from trove_ext.workflows.restore.verify_checks import Checks
from trove_ext.workflows.restore.verify_journal import FAILED, Journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.catalog import Version
    from trove_ext.trove.client import Cloud
    from trove_ext.trove.find import Finder
    from trove_ext.workflows.restore.contents import Question
    from trove_ext.workflows.restore.restore import RestorePlan
    from trove_ext.workflows.restore.settings import RestoreOptions
    from trove_ext.workflows.restore.verify_journal import Step

NOT_TRIED = "not tried"
RESTORED = "restored"
DATABASES_CHECKED = "databases checked"
DATA_CHECKED = "data checked"


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """What to verify, and how.

    :ivar backup: name or ID, or what it is chosen by
    :ivar options: of the temporary instance
    :ivar databases: names that must exist
    :ivar questions: queries, and the values that they must return
    :ivar query_database: the database to connect to for the queries; None for the only
        one, if the engine needs any
    :ivar upgrade_to: the datastore version to upgrade the instance to, before its data
        is checked, name or ID; None for no upgrade
    :ivar keep: do not delete the instance
    :ivar timeout: seconds for this backup, its checks and its restore together, 0 for
        no limit; the delete has its own ten minutes
    """

    backup: Source | str
    options: RestoreOptions
    databases: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    query_database: str | None = None
    upgrade_to: str | None = None
    keep: bool = False
    timeout: float = 3600.0

    @property
    def goal(self) -> str:
        """The result for the backup if every step succeeds."""
        if self.questions:
            return DATA_CHECKED
        return DATABASES_CHECKED if self.databases else RESTORED


@dataclass(frozen=True, slots=True)
class Verification:
    """The result for one backup.

    :ivar error: why it was not verified, or why the instance still exists
    """

    steps: tuple[Step, ...]
    error: TroveExtError | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request whose backup was looked up.

    :ivar request: with the ID of the backup, if it was found
    :ivar backup: None if it was not found
    :ivar error: why it was not found
    :ivar journal: the steps so far
    """

    request: VerifyRequest
    journal: Journal
    backup: Backup | None = None
    error: TroveExtError | None = None


def prepare(cloud: Cloud, requests: Sequence[VerifyRequest]) -> list[Prepared]:
    """Find all backups, and report those that can't be found, before anything is done.

    Costs one request for each ID, and one for all names together.

    :raises CheckError: a query is given, and the driver of an engine is not installed
    """
    finder = find.backups(cloud)
    prepared = [_find(cloud, finder, request) for request in requests]
    contents.require_drivers(
        cloud.engines.of(each.backup.datastore)
        for each in prepared
        if each.backup is not None and each.request.questions
    )
    return prepared


def verify(cloud: Cloud, requests: Sequence[VerifyRequest]) -> Iterator[Verification]:
    """Verify backups one after another; one that fails does not stop the others.

    :raises CheckError: see :func:`prepare`
    """
    yield from run(cloud, prepare(cloud, requests))


def run(cloud: Cloud, prepared: Sequence[Prepared]) -> Iterator[Verification]:
    """Verify what was prepared; what was not found is a failure in its place."""
    for each in prepared:
        yield _Run(cloud, each).run()


def _find(cloud: Cloud, finder: Finder[Backup], request: VerifyRequest) -> Prepared:
    source = request.backup
    source = Source(source) if isinstance(source, str) else source
    journal = Journal(cloud, str(source), None)
    # Each backup has its own time, in which a cloud that does not respond is seen.
    cloud.start(request.timeout)
    try:
        if source.instance is None:
            backup = finder.find(source.backup or "")
        else:
            backup = find_source(cloud, source)[1]
    except TroveExtError as exc:
        with contextlib.suppress(TroveExtError), journal.step("check", "ok"):
            raise
        return Prepared(request, journal, error=exc)
    return Prepared(replace(request, backup=backup.id), journal, backup)


def clean_up(cloud: Cloud, instances: Sequence[Instance]) -> list[Verification]:
    """Delete orphaned instances; one that fails does not stop the others."""
    return [_clean_up_one(cloud, instance) for instance in instances]


def error_of(verifications: Sequence[Verification]) -> TroveExtError | None:
    """Return what went wrong in all of them together; None if nothing did."""
    errors = [done.error for done in verifications if done.error]
    if not errors or len(verifications) == 1:
        return errors[0] if errors else None
    count = f"{len(errors)} of {len(verifications)} failed."
    return wait_report.joined(errors, count)


def _clean_up_one(cloud: Cloud, instance: Instance) -> Verification:
    journal = Journal(cloud, "", None)
    try:
        with journal.step("clean-up", "deleted") as details:
            details.append(str(instance))
            scratch_instance.remove_orphaned(cloud, instance)
    except TroveExtError as exc:
        return Verification(tuple(journal.steps), exc)
    return Verification(tuple(journal.steps))


class _Run:
    """The verification of one backup."""

    def __init__(self, cloud: Cloud, prepared: Prepared) -> None:
        self._cloud = cloud
        self._request = prepared.request
        self._journal = prepared.journal
        self._error = prepared.error
        self._upgrade: Version | None = None

    def run(self) -> Verification:
        """Run all steps; the instance is deleted whatever happens."""
        self._journal.start()
        if self._error is not None:
            return self._verdict(self._error, None)
        deadline = self._cloud.start(self._request.timeout)
        try:
            planned = self._plan()
        except TroveExtError as exc:
            return self._verdict(exc, None)
        guest = Temporary(self._cloud, planned.name)
        failure: TroveExtError | None = None
        remaining: TroveExtError | None = None
        try:
            try:
                self._restore_and_check(planned, guest, deadline)
            except TroveExtError as exc:
                failure = exc
            self._remove(guest)
        except TroveExtError as exc:
            remaining = exc
        except BaseException:
            # A signal: the instance is deleted first, then the signal is raised again.
            self._leave(guest)
            raise
        return self._verdict(failure, remaining)

    def _verdict(
        self, failure: TroveExtError | None, remaining: TroveExtError | None
    ) -> Verification:
        """Return the result: a delete that failed is an error, but not the backup's."""
        untried = isinstance(failure, (SettingsError, UnprovedError))
        verdict = NOT_TRIED if untried else FAILED
        self._journal.total(verdict if failure else self._request.goal)
        steps = tuple(self._journal.steps)
        if failure is None:
            return Verification(steps, remaining)
        kind = (
            WaitTimeoutError
            if isinstance(failure, WaitTimeoutError)
            else ResourceFailedError
        )
        name, backup_id = self._journal.backup, self._journal.backup_id
        called = f"{name} ({backup_id})" if backup_id else name
        also = f"\n{remaining}" if remaining else ""
        said = "was not tried" if untried else "did not verify"
        why = str(failure)
        if isinstance(failure, CheckError):
            why = "".join(f"\n  - {problem}" for problem in failure.problems)
        every = [failure, *([remaining] if remaining else [])]
        error = kind(
            f"Backup {called} {said}: {why}{also}",
            follow_ups=merged(each.follow_ups for each in every),
        )
        return Verification(steps, error)

    def _plan(self) -> RestorePlan:
        """Check everything; a backup that can't be restored is not verified."""
        request = restore.RestoreRequest(
            self._request.backup,
            "a temporary instance",
            self._request.options,
            throwaway=True,
        )
        with self._journal.step("check", "ok") as details:
            found = find_source(self._cloud, self._request.backup)
            backup = found[1]
            self._journal.backup, self._journal.backup_id = backup.name, backup.id
            planned = self._plan_with_upgrade(request, found)
            links = len(planned.path)
            details.append(f"chain of {links}" if links > 1 else "full backup")
        for text in planned.warnings:
            self._cloud.progress.warn(text)
        for note in planned.notes:
            self._cloud.progress.note(note.text, *note.follow_ups)
        name = scratch_instance.name_for(backup.id, self._cloud.clock.now())
        return replace(planned, name=name)

    def _plan_with_upgrade(
        self, request: restore.RestoreRequest, found: tuple[BackupForest, Backup]
    ) -> RestorePlan:
        """Check the restore, and the version of the upgrade with it."""
        wanted = self._request.upgrade_to
        if wanted is None:
            return restore.plan(self._cloud, request, found)
        backup = found[1]
        try:
            planned = restore.plan(self._cloud, request, found)
        except CheckError as exc:
            version = upgrade.find(self._cloud, backup, wanted, None)
            wrong = [version] if isinstance(version, Problem) else []
            raise type(exc)(exc.what, [*exc.details, *wrong]) from exc
        restored = planned.settings.version
        version = upgrade.find(self._cloud, backup, wanted, restored)
        if isinstance(version, Problem):
            what = f"The upgrade of backup {backup} can't be rehearsed"
            raise SettingsError(what, [version])
        self._upgrade = version
        return planned

    def _restore_and_check(
        self, planned: RestorePlan, guest: Temporary, deadline: Deadline
    ) -> None:
        with self._journal.step("restore", RESTORED) as details:
            instance = self._restore(planned, guest, deadline)
            details.append(f"instance {instance.id}")
        engine = self._cloud.engines.of(planned.backup.datastore)
        checks = Checks(self._cloud, self._request, self._journal, engine, deadline)
        checks.run(instance, self._upgrade)

    def _restore(
        self, planned: RestorePlan, guest: Temporary, deadline: Deadline
    ) -> Instance:
        made = guest.create(planned)
        target = conditions.settled(self._cloud, made, patience=None)
        (outcome,) = self._cloud.wait([target], deadline)
        if outcome.timed_out:
            raise WaitTimeoutError(
                f"the restored instance is still {outcome.state} after "
                f"{outcome.elapsed:.0f} s"
            )
        if not outcome.ok:
            reason = outcome.reading.reason if outcome.reading else "no reason is known"
            raise ResourceFailedError(
                f"the restored instance is {outcome.state}: {reason}"
            )
        return read.get_instance(self._cloud, made.id)

    def _remove(self, guest: Temporary) -> None:
        if guest.gone:
            return
        if self._request.keep:
            self._journal.skip("delete", "kept", str(guest))
            self._cloud.progress.note(guest.state(), *guest.by_hand())
            return
        with self._journal.step("delete", "deleted"):
            guest.remove()

    def _leave(self, guest: Temporary) -> None:
        """Handle an interruption: delete the instance, or at least report it."""
        try:
            if self._request.keep and not guest.gone:
                self._cloud.progress.warn(guest.state(), *guest.by_hand())
            else:
                guest.interrupted()
        except TroveExtError as exc:
            self._cloud.progress.warn(str(exc), *exc.follow_ups)
