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

"""The TLS of an instance: its mode, and the end of its certificate (Trove 26)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import NotFoundError, RefusedError
from trove_ext.model.fields import Fields

if TYPE_CHECKING:
    from datetime import datetime

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud


#: Modes that nobody has chosen: that of the image, and none at all.
DEFAULT_MODES = (None, "", "None", "builtin")


@dataclass(frozen=True, slots=True)
class Tls:
    """The TLS of an instance.

    :ivar mode: ``builtin`` without a certificate of the user, else ``basic``,
        ``enforced`` or ``mtls`` (``trove/common/ssl.py``)
    :ivar expires: the end of the certificate; None if there is none, or Trove does not
        report it
    """

    mode: str | None
    expires: datetime | None

    @property
    def is_chosen(self) -> bool:
        """Whether somebody has chosen the mode."""
        return self.mode not in DEFAULT_MODES


def read_tls(cloud: Cloud, instance: Instance) -> Tls | None:
    """Read the TLS of an instance; None if the cloud has none, or does not say."""
    try:
        return ask_for_tls(cloud, instance)
    except (NotFoundError, RefusedError):
        return None


def ask_for_tls(cloud: Cloud, instance: Instance) -> Tls | None:
    """Read the TLS of an instance; None if the client does not know TLS.

    The guest agent answers (``trove/guestagent/datastore/ssl.py``, ``ssl_show``), so
    ask only for an instance that is settled.

    :raises NotFoundError, RefusedError: the cloud has none, or does not say
    """
    manager = cloud.client.instances
    if not hasattr(manager, "ssl_show"):
        return None
    shown = cloud.read(
        f"TLS of {instance}", lambda: manager.ssl_show(instance.id).to_dict()
    )
    fields = Fields(shown, "TLS")
    certificate = fields.part("certificate")
    return Tls(fields.text("mode"), certificate.time("expire_at"))
