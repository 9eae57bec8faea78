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

"""The part of Glance that Trove uses: one image, which is never booted."""

from types import SimpleNamespace
from typing import Any

from glanceclient import exc

from trove_ext.sandbox import labels


class Images:
    """``client.images``."""

    def get(self, image_id: str) -> SimpleNamespace:
        """Return the image; raises Glance's HTTPNotFound."""
        if image_id != labels.IMAGE_ID:
            raise exc.HTTPNotFound(f"No image found with ID {image_id}")
        return SimpleNamespace(id=image_id, name="sandbox", status="active")

    def list(self, **_filters: Any) -> list[dict[str, str]]:
        """All images."""
        return [{"id": labels.IMAGE_ID}]


class Client:
    """The Glance client of Trove."""

    def __init__(self) -> None:
        self.images = Images()


def client(*_args: Any, **_kwargs: Any) -> Client:
    """Stand in for trove.common.clients.glance_client."""
    return Client()
