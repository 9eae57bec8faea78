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
from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    CheckError,
    PartialFailureError,
    RefusedError,
    ResourceFailedError,
    TroveExtError,
    WaitTimeoutError,
)
from trove_ext.follow_up import merged
from trove_ext.trove import conditions, databases, read
from trove_ext.workflows.restore import contents, restore, scratch_instance
from trove_ext.workflows.restore.contents import MismatchError, Question
from trove_ext.workflows.restore.restore import SettingsError
from trove_ext.workflows.restore.scratch_instance import Temporary
from trove_ext.workflows.restore.source import find_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.restore.restore import RestorePlan
    from trove_ext.workflows.restore.settings import RestoreOptions
    from trove_ext.workflows.restore.source import Source

FAILED = "FAILED"
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
    :ivar keep: do not delete the instance
    :ivar timeout: seconds for this backup, its checks and its restore together, 0 for
        no limit; the delete has its own ten minutes
    """

    backup: Source | str
    options: RestoreOptions
    databases: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    keep: bool = False
    timeout: float = 3600.0

    @property
    def goal(self) -> str:
        """The result for the backup if every step succeeds."""
        if self.questions:
            return DATA_CHECKED
        return DATABASES_CHECKED if self.databases else RESTORED


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a verification, or the whole of it (``total``).

    :ivar backup: its name
    :ivar backup_id: None if it was not found
    :ivar detail: what was found, or why it failed
    """

    backup: str
    backup_id: str | None
    name: str
    result: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """The result for one backup.

    :ivar error: why it was not verified, or why the instance still exists
    """

    steps: tuple[Step, ...]
    error: TroveExtError | None = None


def check(requests: Sequence[VerifyRequest]) -> None:
    """Check that all requests can be carried out, before anything is done.

    :raises CheckError: a query is given and PyMySQL is not installed
    """
    if any(request.questions for request in requests):
        contents.require_driver()


def verify(cloud: Cloud, requests: Sequence[VerifyRequest]) -> Iterator[Verification]:
    """Verify backups one after another; one that fails does not stop the others.

    :raises CheckError: see :func:`check`
    """
    check(requests)
    for request in requests:
        yield _Run(cloud, request).run()


def clean_up(cloud: Cloud, instances: Sequence[Instance]) -> list[Verification]:
    """Delete orphaned instances; one that fails does not stop the others."""
    return [_clean_up_one(cloud, instance) for instance in instances]


def error_of(verifications: Sequence[Verification]) -> TroveExtError | None:
    """Return what went wrong in all of them together; None if nothing did."""
    errors = [done.error for done in verifications if done.error]
    if not errors or len(verifications) == 1:
        return errors[0] if errors else None
    count = f"{len(errors)} of {len(verifications)} failed."
    late = all(isinstance(error, WaitTimeoutError) for error in errors)
    kind = WaitTimeoutError if late else PartialFailureError
    return kind(
        "\n".join([*map(str, errors), count]),
        follow_ups=merged(error.follow_ups for error in errors),
    )


def _clean_up_one(cloud: Cloud, instance: Instance) -> Verification:
    journal = _Journal(cloud, "", None)
    try:
        with journal.step("clean-up", "deleted") as details:
            details.append(str(instance))
            scratch_instance.remove_orphaned(cloud, instance)
    except TroveExtError as exc:
        return Verification(tuple(journal.steps), exc)
    return Verification(tuple(journal.steps))


class _Journal:
    """Record each step with its time, and report it."""

    def __init__(self, cloud: Cloud, backup: str, backup_id: str | None) -> None:
        self._cloud = cloud
        self._start = cloud.clock.monotonic()
        self.backup = backup
        self.backup_id = backup_id
        self.steps: list[Step] = []

    @contextlib.contextmanager
    def step(self, name: str, result: str) -> Iterator[list[str]]:
        """Measure a step; what is appended to the list becomes its detail."""
        start = self._cloud.clock.monotonic()
        details: list[str] = []
        try:
            yield details
        except TroveExtError as exc:
            self._add(name, FAILED, start, _in_short(exc))
            raise
        self._add(name, result, start, ", ".join(details))

    def skip(self, name: str, result: str, detail: str) -> None:
        """Record a step that was not carried out."""
        self._add(name, result, self._cloud.clock.monotonic(), detail)

    def total(self, result: str) -> None:
        """Record the verdict."""
        self._add("total", result, self._start, "")

    def _add(self, name: str, result: str, start: float, detail: str) -> None:
        seconds = round(self._cloud.clock.monotonic() - start, 1)
        self.steps.append(
            Step(self.backup, self.backup_id, name, result, seconds, detail)
        )
        why = f": {detail}" if result == FAILED and detail else ""
        self._cloud.progress.note(
            f"{self.backup or 'Left behind'}: {name}: {result} ({seconds:.1f} s){why}"
        )


def _in_short(error: TroveExtError) -> str:
    """Format an error for a cell: without what to do next."""
    if isinstance(error, CheckError):
        return "; ".join(error.problems)
    return str(error).splitlines()[0]


class _Run:
    """The verification of one backup."""

    def __init__(self, cloud: Cloud, request: VerifyRequest) -> None:
        self._cloud = cloud
        self._request = request
        self._journal = _Journal(cloud, str(request.backup), None)

    def run(self) -> Verification:
        """Run all steps; the instance is deleted whatever happens."""
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
        untried = isinstance(failure, SettingsError)
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
            planned = restore.plan(self._cloud, request, found)
            links = len(planned.path)
            details.append(f"chain of {links}" if links > 1 else "full backup")
        for text in planned.warnings:
            self._cloud.progress.warn(text)
        for note in planned.notes:
            self._cloud.progress.note(note.text, *note.follow_ups)
        name = scratch_instance.name_for(backup.id, self._cloud.clock.now())
        return replace(planned, name=name)

    def _restore_and_check(
        self, planned: RestorePlan, guest: Temporary, deadline: Deadline
    ) -> None:
        with self._journal.step("restore", RESTORED) as details:
            instance = self._restore(planned, guest, deadline)
            details.append(f"instance {instance.id}")
        databases = self._look_at_databases(instance)
        if self._request.questions:
            with self._journal.step("data", "checked") as details:
                found = contents.check(
                    self._cloud,
                    instance,
                    databases,
                    self._request.questions,
                    deadline=deadline,
                    drop_user=self._request.keep,
                )
                details.extend(found)

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

    def _look_at_databases(self, instance: Instance) -> tuple[str, ...]:
        """List the databases through Trove, which hides the server's own.

        If a name among them can't be listed by Trove, each expected database is
        looked up separately.

        :returns: those that are known to exist
        """
        wanted = self._request.databases
        step = partial(self._journal.step, "databases")
        try:
            found = databases.names(self._cloud, instance)
        except RefusedError as exc:
            return self._look_for_each(instance, str(exc))
        with step("checked" if wanted else "listed") as details:
            details.append(", ".join(found) or "none")
            missing = [name for name in wanted if name not in found]
            if missing:
                raise MismatchError(
                    f"the database {', '.join(missing)} is missing; there are: "
                    f"{', '.join(found) or 'none'}"
                )
        return found

    def _look_for_each(self, instance: Instance, why: str) -> tuple[str, ...]:
        wanted = self._request.databases
        if not wanted:
            self._journal.skip("databases", "not listed", why)
            return ()
        with self._journal.step("databases", "checked") as details:
            details.append(f"{', '.join(wanted)}; others can't be listed: {why}")
            missing = [
                name
                for name in wanted
                if not databases.has(self._cloud, instance, name)
            ]
            if missing:
                raise MismatchError(
                    f"the database {', '.join(missing)} is missing; what else is there "
                    f"can't be listed: {why}"
                )
        return wanted

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
