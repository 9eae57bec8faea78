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


"""The user's token, which Trove hands to the guest agent with a backup.

The agent stores the backup with it (``trove/guestagent/datastore/service.py``,
``create_backup``: ``--os-token``), so a backup that takes longer than the rest of the
token's life fails at its end.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from trove_ext.follow_up import Setting, add
from trove_ext.model.durations import format_duration
from trove_ext.trove import upstream

if TYPE_CHECKING:
    from trove_ext.trove.client import Cloud

#: How long a backup takes if nothing shows it.
UNKNOWN = timedelta(hours=1)
#: A token of this age is as good as a new one.
NEW = timedelta(minutes=1)


def prepare(cloud: Cloud, expected: timedelta | None) -> None:
    """Take a new token if this one may expire before a backup has ended.

    It does so if the rest of its life is shorter than twice the expected time. That
    costs one request to Keystone; a new token does not get another one. A token that
    was given as such can't be renewed: then there is a warning.

    :param expected: how long the backup may take; None for UNKNOWN
    :raises LoginError, UnreachableError: Keystone does not issue one
    """
    session = upstream.session_of(cloud.client)
    auth = getattr(cloud.client.client, "auth", None) or getattr(session, "auth", None)
    if session is None or not hasattr(auth, "get_access"):
        # It has no life that is known, as with "admin_token".
        return
    access = _access(cloud, session, auth)
    needed = UNKNOWN if expected is None else 2 * expected
    now = datetime.now(UTC)
    rest = access.expires - now
    if rest < needed and _was_given(auth):
        _warn_of_end(cloud, rest)
        return
    if rest < needed and now - access.issued >= NEW:
        session.invalidate(auth)
        access = _access(cloud, session, auth)
    life = access.expires - access.issued
    if expected is not None and expected > life:
        cloud.progress.warn(
            f"A backup of this instance has taken {format_duration(expected)}, and "
            f"tokens of this cloud expire after {format_duration(life)}. Trove stores "
            "the backup with this one: it is likely to fail."
        )


def _was_given(auth: Any) -> bool:
    """Whether the user gave a token: one that is issued for it expires with it."""
    from keystoneauth1.identity import Token, V2Token, V3Token

    return isinstance(auth, (Token, V2Token, V3Token))


def _warn_of_end(cloud: Cloud, rest: timedelta) -> None:
    span = format_duration(max(rest, timedelta(0)))
    cloud.progress.warn(
        f"The token that was given expires in {span} and can't be renewed. Trove "
        "stores the backup with it: one that takes longer fails.",
        add("use a new token", Setting.TOKEN),
    )


def _access(cloud: Cloud, session: Any, auth: Any) -> Any:
    return cloud.read("Token", lambda: auth.get_access(session))
