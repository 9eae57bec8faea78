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

"""The progress that a long job reports, independent of any stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from trove_ext.follow_up import FollowUp


class Progress(Protocol):
    """Where a job reports its progress."""

    def update(self, subject: str, state: str) -> None:
        """Report the state of a subject; called each time it is read."""

    def done(self) -> None:
        """End the live lines: a result is printed next."""

    def note(self, text: str, *follow_ups: FollowUp) -> None:
        """Report a finished step, or a choice."""

    def warn(self, text: str, *follow_ups: FollowUp) -> None:
        """Report something that the user should act on; never silenced."""


class Silent:
    """Reports nothing: for scripts that want only results."""

    def update(self, subject: str, state: str) -> None:
        """Drop it."""

    def done(self) -> None:
        """Do nothing."""

    def note(self, text: str, *follow_ups: FollowUp) -> None:
        """Drop it."""

    def warn(self, text: str, *follow_ups: FollowUp) -> None:
        """Drop it."""
