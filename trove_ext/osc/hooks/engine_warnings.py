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

"""Warnings before a stock command that Trove carries out badly for some engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import TroveExtError
from trove_ext.follow_up import Action, Verb, to
from trove_ext.trove import find

if TYPE_CHECKING:
    from trove_ext.trove.client import Cloud


def before_eject(cloud: Cloud, name_or_id: str) -> None:
    """Warn that an eject can't succeed, if it can't."""
    try:
        instance = find.instance(cloud, name_or_id)
    except TroveExtError:
        # The stock command asks for it too, and reports it.
        return
    engine = cloud.engines.look(instance.datastore)
    if not engine.ejects:
        cloud.progress.warn(
            f"With {engine.title} an eject fails and leaves every member of the "
            "replica set in ERROR. It is sent all the same.",
            to(
                "replace a source whose host is dead",
                Action(Verb.FAIL_OVER, (instance.id,), wait=True),
            ),
        )


def before_promote(cloud: Cloud, name_or_id: str) -> None:
    """Warn of the writes that a promote loses, if it loses any."""
    try:
        instance = find.instance(cloud, name_or_id)
    except TroveExtError:
        # As above.
        return
    engine = cloud.engines.look(instance.datastore)
    if not engine.fences:
        cloud.progress.warn(
            f"With {engine.title} Trove does not stop the writes on the old source: "
            "what it acknowledges during the promote is lost, and the other replicas "
            "may differ afterwards. It is sent all the same."
        )
