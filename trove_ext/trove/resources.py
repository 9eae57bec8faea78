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

"""python-troveclient's resources, read with a check.

A missing attribute of a resource causes another request
(``troveclient/apiclient/base.py``, ``Resource.__getattr__``); reading fields does not.
"""

from __future__ import annotations

from typing import Any

from trove_ext.exceptions import MalformedAnswerError
from trove_ext.model.fields import Fields


def info_of(resource: Any, kind: str) -> dict[str, Any]:
    """Return the JSON object of a resource.

    :param resource: None after a create whose response has no body
    :param kind: what it is, for messages: "backup"
    :raises MalformedAnswerError: there is none
    """
    if resource is None:
        raise MalformedAnswerError(f"the response has no {kind}, so it is not Trove's")
    info: dict[str, Any] = resource.to_dict()
    return info


def fields_of(resource: Any, kind: str) -> Fields:
    """Return the fields of a resource.

    :raises MalformedAnswerError: it has none
    """
    return Fields(info_of(resource, kind), kind)


def id_of(resource: Any, kind: str) -> str:
    """Return the ID of a resource.

    :raises MalformedAnswerError: it has none
    """
    return fields_of(resource, kind).need_text("id")


def flavor_id(flavor: Fields) -> str:
    """Return the ID of a flavor: ``id`` is null if Nova's is no number.

    (``trove/flavor/views.py``, ``FlavorView``)
    """
    return flavor.text("str_id") or str(flavor.need("id"))
