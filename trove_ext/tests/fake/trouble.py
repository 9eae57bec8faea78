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

"""Faults that a test injects into a fake cloud."""

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.state import Instance, Knobs, Service

#: The text of the task manager for a guest that could not be prepared.
FAILED_TO_SPAWN = "Service not active, status: failed to spawn"


class Trouble:
    """The failures that the sandbox can inject, under the same conditions.

    A key is an instance's ID or name, or "*" for any.

    :ivar forbidden: rules of Trove's policy that refuse, as "backup:delete"
    """

    clock: FakeClock
    knobs: Knobs
    forbidden: set[str]
    _generation: int

    @staticmethod
    def beat(instance: Instance) -> None:
        """Make the guest report its state."""
        if instance.off_since is None:
            running = instance.database_running
            instance.service = Service.HEALTHY if running else Service.SHUTDOWN

    def stop_replication(self, instance: Instance) -> None:
        """Stop a replica's replication; no status shows it."""
        instance.replicating = False

    def kill_database(self, instance: Instance) -> None:
        """Kill the database server; the guest agent lives."""
        instance.database_running = False
        self.beat(instance)

    def host_off(self, instance: Instance) -> None:
        """Switch the host off: the heartbeat stops now."""
        instance.off_since = self.clock.now()

    def host_on(self, instance: Instance) -> None:
        """Switch the host on again."""
        instance.off_since = None
        self.beat(instance)

    def restart_trove(self) -> None:
        """Lose every task in progress; what runs inside guests continues."""
        self._generation += 1

    def policy_forbid(self, rule: str) -> None:
        """Refuse an action by policy, as "instance:promote_to_replica_source"."""
        self.forbidden.add(rule)

    def fail_backup(self, key: str = "*", message: str = "The backup failed.") -> None:
        """Make backups of an instance fail."""
        self.knobs.backup[key] = message

    def fail_restore(self, key: str = "*", message: str = FAILED_TO_SPAWN) -> None:
        """Make the restore of an instance fail in its guest."""
        self.knobs.restore[key] = message

    def fail_create(
        self, key: str = "*", message: str = "No valid host was found."
    ) -> None:
        """Make Nova refuse to create the servers of instances, replicas too."""
        self.knobs.create[key] = message

    def hang_create(self, key: str = "*") -> None:
        """Make instances build until Trove gives up."""
        self.knobs.create_hangs[key] = "Polling request timed out."

    def fail_promote_candidate(self, key: str = "*") -> None:
        """Make a replica that is promoted never catch up."""
        self.knobs.promote_candidate[key] = "the replica does not catch up"

    def fail_promote_sibling(self, key: str = "*") -> None:
        """Make another replica fail to attach to the new source."""
        self.knobs.promote_sibling[key] = "attach_replica failed"
