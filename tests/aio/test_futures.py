"""Deferreds and coroutines of asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.aio.futures import ended, result_of, returning_deferreds


class FutureTests(SynchronousTestCase):
    """Each in a program of its own."""

    def run_main(self, main: Coroutine[Any, Any, None]) -> None:
        """Run a program."""
        asyncio.run(main)

    def test_result(self) -> None:
        """A result is returned, an exception raised."""

        async def main() -> None:
            self.assertEqual(await result_of(succeed(1)), 1)
            failed: Deferred[None] = Deferred()
            asyncio.get_running_loop().call_soon(failed.errback, ValueError())
            with self.assertRaises(ValueError):
                await result_of(failed)

        self.run_main(main())

    def test_cancelled(self) -> None:
        """Cancelling the task cancels the Deferred."""

        async def main() -> None:
            cancelled: list[Deferred[None]] = []
            deferred: Deferred[None] = Deferred(cancelled.append)
            task = asyncio.create_task(result_of(deferred))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertEqual(cancelled, [deferred])

        self.run_main(main())

    def test_ended(self) -> None:
        """A task that waits for an end does so even if it is cancelled."""

        async def main() -> None:
            deferred: Deferred[None] = Deferred(lambda d: d.callback(None))
            task = asyncio.create_task(ended(deferred))
            await asyncio.sleep(0)
            task.cancel()
            self.assertTrue(await task)
            self.assertFalse(await ended(succeed(None)))

        self.run_main(main())

    def test_handlers(self) -> None:
        """Functions and coroutine functions of the application both work."""

        async def main() -> None:
            async def double(value: int) -> int:
                await asyncio.sleep(0)
                return 2 * value

            doubled = returning_deferreds(double)(4)
            self.assertEqual(await result_of(doubled), 8)
            self.assertEqual(returning_deferreds(lambda value: value)(4), 4)

        self.run_main(main())

    def test_cancelled_handler(self) -> None:
        """Cancelling the Deferred of a handler cancels its task."""

        async def main() -> None:
            cancelled: list[str] = []

            async def handle() -> None:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    cancelled.append("yes")
                    raise

            handling = returning_deferreds(handle)()
            failures: list[Any] = []
            handling.addErrback(failures.append)
            await asyncio.sleep(0)
            handling.cancel()
            for _ in range(3):
                await asyncio.sleep(0)
            self.assertEqual((cancelled, len(failures)), (["yes"], 1))
            self.assertTrue(failures[0].check(CancelledError))

        self.run_main(main())
