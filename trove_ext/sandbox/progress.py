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

"""Shows what ``up`` is waiting for, at a terminal or in a log."""

import time
from types import TracebackType
from typing import TextIO


class Progress:
    """A live line with the time at a terminal; elsewhere a line for each step."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._began = time.monotonic()
        self._live = None
        if stream.isatty():
            from rich.console import Console

            self._live = Console(file=stream).status("")

    def __enter__(self) -> "Progress":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def step(self, text: str) -> None:
        """Report what is being done now."""
        if self._live is not None:
            self._live.update(text)
            return
        seconds = time.monotonic() - self._began
        print(f"[{seconds:5.1f} s] {text}", file=self._stream, flush=True)
