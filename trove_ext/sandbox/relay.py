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

"""The relay of a floating IP: to the same ports of the instance's own address.

A process for each, which a restart of Trove leaves running:
``python -m trove_ext.sandbox.relay DIR FLOATING FIXED``. To the database a client has
the floating address, and not 127.0.0.1, from which the guest's own account connects.
"""

import asyncio
import contextlib
import sys

from trove_ext.sandbox import supervise
from trove_ext.sandbox.state import INSTANCE_PORTS, StateDir

_END_SECONDS = 2.0
_CHUNK = 65536


def _name(floating: str) -> str:
    return f"relay-{floating}"


def start(state: StateDir, floating: str, fixed: str) -> None:
    """Start the relay of a floating IP unless it is running."""
    if supervise.find(state, _name(floating)) is None:
        module = ["-W", "ignore", "-m", "trove_ext.sandbox.relay"]
        command = [sys.executable, *module, str(state.root), floating, fixed]
        supervise.start(state, _name(floating), command)


def stop(state: StateDir, floating: str) -> None:
    """End the relay of a floating IP, with all connections."""
    process = supervise.find(state, _name(floating))
    if process is not None:
        supervise.end([process], _END_SECONDS)
    for path in (state.pids / _name(floating), state.logs / f"{_name(floating)}.out"):
        path.unlink(missing_ok=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction until its end, and pass the end on."""
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _serve(floating: str, fixed: str, port: int) -> None:
    """Accept connections to one port, forever."""

    async def accept(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            server, there = await asyncio.open_connection(
                fixed, port, local_addr=(floating, 0)
            )
            await asyncio.gather(_copy(client, there), _copy(server, back))
            there.close()
        back.close()

    listening = await asyncio.start_server(accept, floating, port)
    await listening.serve_forever()


async def _run(floating: str, fixed: str) -> None:
    await asyncio.gather(*(_serve(floating, fixed, port) for port in INSTANCE_PORTS))


def main() -> None:
    """Relay from the second argument's address to the third's."""
    asyncio.run(_run(*sys.argv[2:4]))


if __name__ == "__main__":
    main()
