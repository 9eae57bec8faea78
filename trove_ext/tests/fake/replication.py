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

"""Replica sets: promote, eject, detach (trove/taskmanager/manager.py)."""

from typing import Any

from trove_ext.tests.fake import errors
from trove_ext.tests.fake.cloud import FakeCloud, GuestError, Steps
from trove_ext.tests.fake.state import Instance, Task, armed

TIMEOUT = "Timeout trying to connect to the Guest Agent."


class Replication:
    """The rules of replica sets, except the creation of a replica."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud

    # What the API accepts

    def promote(self, replica: Instance, _data: Any = None) -> None:
        """POST promote_to_replica_source: neither source nor siblings are checked."""
        self.cloud.allow("instance:promote_to_replica_source")
        with self.cloud.blamed(replica.id):
            self.cloud.ready(replica)
            self._must_be_replica(replica)
            source = self.cloud.by_id(replica.replica_of or "")
        members = [source, *self.cloud.replicas(source)]
        self.cloud.set_task(Task.PROMOTING, *members)
        self.cloud.start(self._promoting(source, replica, members))

    def eject(self, source: Instance, _data: Any = None) -> None:
        """POST eject_replica_source: in any state, if the heartbeat is stale."""
        self.cloud.allow("instance:eject_replica_source")
        replicas = self.cloud.replicas(source)
        with self.cloud.blamed(source.id):
            if not replicas:
                raise errors.bad_request(
                    f"Instance {source.id} is not a replica source."
                )
            if self.cloud.heartbeat_is_current(source):
                raise errors.bad_request(
                    f"Replica Source {source.id} cannot be ejected as it has a "
                    "current heartbeat"
                )
        self.cloud.set_task(Task.EJECTING, source, *replicas)
        self.cloud.start(self._ejecting(source, replicas))

    def detach(self, replica: Instance) -> None:
        """PUT with replica_of."""
        with self.cloud.blamed(replica.id):
            self.cloud.ready(replica)
            self._must_be_replica(replica)
        self.cloud.set_task(Task.DETACHING, replica)
        self.cloud.start(self._detaching(replica))

    @staticmethod
    def _must_be_replica(instance: Instance) -> None:
        if instance.replica_of is None:
            raise errors.bad_request(f"Instance {instance.id} is not a replica.")

    # What the task manager does

    def _detaching(self, replica: Instance) -> Steps:
        """A failed detach also returns to ACTIVE: `reset_task_status` in finally."""
        yield self.cloud.timings.detach
        failure = armed(self.cloud.knobs.detach, replica)
        if replica.off_since is not None:
            failure = TIMEOUT
        if failure is None:
            replica.replica_of = None
            replica.read_only = False
        else:
            self.cloud.blame(replica, failure)
        self.cloud.set_task(Task.NONE, replica)

    def _promoting(
        self, source: Instance, candidate: Instance, members: list[Instance]
    ) -> Steps:
        try:
            yield from self._give_up_source(source, candidate)
            self._free(candidate)
            yield self.cloud.timings.role_step
            self._enable_as_master(candidate)
            others = [m for m in members if m not in (source, candidate)]
            left = yield from self._move(others, candidate)
            self._reach(source)
            source.replica_of = candidate.id
            source.was_source = True
            source.replicating = True
            yield self.cloud.timings.role_step
        except GuestError as error:
            # No rollback: the old source stays read-only.
            self.cloud.set_task(Task.PROMOTION_ERROR, *members)
            self.cloud.blame(candidate, str(error))
            return
        self.cloud.set_task(Task.NONE, *members)
        if left:
            yield self.cloud.timings.error_gap
            self.cloud.set_task(Task.PROMOTION_ERROR, *left)
            self.cloud.blame(
                candidate, self._left_behind("promote", source, candidate, left)
            )

    def _enable_as_master(self, candidate: Instance) -> None:
        """Make it a source.

        One that has the user of the replicas but not its password fails: Trove passes
        an object to `delete_user`, which expects a dictionary.
        """
        candidate.read_only = False
        if not self.cloud.is_postgresql(candidate) or candidate.has_password_file:
            return
        raise GuestError(_guest("TypeError: __dict__ must be set to a dictionary"))

    def _give_up_source(self, source: Instance, candidate: Instance) -> Steps:
        """Make the source read-only and wait until the candidate has caught up."""
        if source.off_since is not None:
            yield self.cloud.timings.agent_call_long
        self._reach(source)
        source.read_only = not self.cloud.is_postgresql(source)
        if not source.database_running:
            raise GuestError(_guest("the database does not run"))
        yield self.cloud.timings.role_step
        failure = armed(self.cloud.knobs.promote_candidate, candidate)
        if failure is None and not (
            candidate.replicating and candidate.database_running
        ):
            failure = "the replica does not catch up"
        if failure is not None:
            yield self.cloud.timings.catch_up
            raise GuestError(_guest(failure))
        self._reach(candidate)

    def _move(
        self, others: list[Instance], source: Instance
    ) -> "Any":  # a generator whose return value is a list
        """Attach other replicas to the new source; return those that failed."""
        left = []
        for other in others:
            failure = armed(self.cloud.knobs.promote_sibling, other)
            if other.off_since is not None or not other.database_running:
                # detach_replica fails first: it keeps its old source.
                if other.off_since is not None:
                    yield self.cloud.timings.agent_call_long
                left.append(other)
                continue
            self._free(other)
            yield self.cloud.timings.role_step
            if failure is not None:
                left.append(other)
                continue
            other.replica_of = source.id
            other.replicating = True
            self.cloud.touch(other)
        return left

    def _ejecting(self, source: Instance, replicas: list[Instance]) -> Steps:
        """Trove chooses the most current replica; the old source is not fenced."""
        try:
            for replica in replicas:
                if replica.off_since is not None:
                    yield self.cloud.timings.agent_call_long
                self._reach(replica)
                self._get_last_txn(replica)
            candidate = max(replicas, key=lambda r: r.replicating)
            self._free(candidate)
            yield self.cloud.timings.role_step
            candidate.read_only = False
            others = [r for r in replicas if r is not candidate]
            left = yield from self._move(others, candidate)
        except GuestError as error:
            self.cloud.set_task(Task.EJECTION_ERROR, source, *replicas)
            self.cloud.blame(source, str(error))
            return
        self.cloud.set_task(Task.NONE, source, *replicas)
        if left:
            yield self.cloud.timings.error_gap
            self.cloud.set_task(Task.EJECTION_ERROR, *left)
            self.cloud.blame(
                source, self._left_behind("eject", source, candidate, left)
            )

    def _get_last_txn(self, replica: Instance) -> None:
        if self.cloud.is_postgresql(replica):
            raise GuestError(
                "Endpoint does not support RPC method get_last_txn. Attempted method: "
                "get_last_txn"
            )

    def _free(self, replica: Instance) -> None:
        replica.replica_of = None
        self.cloud.touch(replica)

    @staticmethod
    def _reach(instance: Instance) -> None:
        if instance.off_since is not None or instance.deleted:
            raise GuestError(TIMEOUT)

    @staticmethod
    def _left_behind(
        what: str, source: Instance, candidate: Instance, left: list[Instance]
    ) -> str:
        verb = "promote-to" if what == "promote" else "eject"
        each = "".join(
            f"Unable to migrate replica {i.id} from old replica source {source.id} to "
            f"new source {candidate.id} on {what}. (...)\n"
            for i in left
        )
        return (
            f"{verb}-replica-source {candidate.id}: The following replicas may not "
            f"have been switched: {[i.id for i in left]}:\n{each}"
        )


def _guest(message: str) -> str:
    return f"An error occurred communicating with the guest: {message}."
