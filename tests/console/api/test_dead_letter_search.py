"""Search among all dead letters of a group."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.errors import NotFound, RefusedByAll
from rocketmq_tw.admin.results.messages import Found, FoundMessage, Page
from rocketmq_tw.console.api.dead_letter_search import (
    MOST_LOOKED_AT,
    MOST_SEARCHES,
    DeadLetterPage,
    DeadLetterSearch,
    DeadLettersQuery,
)
from rocketmq_tw.console.errors import HttpError
from tests.console.visits import BEARER, ConsoleCase, Visits, Wire, request_bytes

_START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
_TOPIC = "%DLQ%billing"


def letter(number: int) -> FoundMessage:
    """Return one of many dead letters; each tenth has the key ``tenth``."""
    return FoundMessage(
        message_id=f"id-{number}",
        offset_id=f"offset-{number}",
        topic=_TOPIC,
        broker="broker-a",
        queue_id=0,
        queue_offset=number,
        commit_log_offset=number,
        tag=None,
        keys=("tenth",) if number % 10 == 0 else (),
        properties={"ORIGIN_MESSAGE_ID": f"first-{number}", "RETRY_TOPIC": "orders"},
        body=b"order %d" % number,
        size=100,
        born=_START,
        born_host="",
        stored=_START + timedelta(seconds=number),
        store_host="",
        deliveries=16,
    )


class Letters:
    """
    The administrator of a group that has some thousand dead letters.

    :param count: of them.
    :param indexed: those that the index of the broker has.
    """

    def __init__(self, count: int, indexed: tuple[FoundMessage, ...] = ()) -> None:
        self.dead_letters = self.messages = self
        self.every = [letter(number) for number in range(count)]
        self.indexed = indexed
        self.pages = 0
        # Those who wait, while nobody responds.
        self.is_silent = False
        self.waiting: list[Deferred[Page]] = []

    def browse(
        self, group: str, begin: Any, end: Any, limit: int, cursor: str | None
    ) -> Deferred[Page]:
        """Return a page."""
        self.pages += 1
        if self.is_silent:
            self.waiting.append(Deferred())
            return self.waiting[-1]
        at = int(cursor or 0)
        after = at + limit
        more = str(after) if after < len(self.every) else None
        return succeed(Page(tuple(self.every[at:after]), more))

    def get(self, message_id: str, topic: str) -> Deferred[FoundMessage]:
        """Look into the index."""
        for each in self.indexed:
            if each.message_id == message_id:
                return succeed(each)
        raise NotFound("message", message_id)

    def by_key(self, topic: str, key: str, **_options: Any) -> Deferred[Found]:
        """Look into the index."""
        found = tuple(each for each in self.indexed if key in each.keys)
        return succeed(Found(found, True, {}))


class SearchTests(SynchronousTestCase):
    """What is found, and how much is looked at for it."""

    def begin(self, count: int = 5000, **options: Any) -> Letters:
        """Let there be dead letters."""
        self.letters = Letters(count, **options)
        self.clock = Clock()
        self.search = DeadLetterSearch(self.clock, self.letters)  # type: ignore[arg-type]
        return self.letters

    def find(self, **query: Any) -> Deferred[DeadLetterPage]:
        """Search."""
        wanted = DeadLettersQuery(group="billing", **query)
        return Deferred.fromCoroutine(self.search.find(wanted))

    def found(self, **query: Any) -> DeadLetterPage:
        """Return what is found at once."""
        page: DeadLetterPage = self.successResultOf(self.find(**query))
        return page

    def ids(self, page: DeadLetterPage) -> list[str]:
        """Return the ids of what was found."""
        return [each.message_id for each in page.items]

    def test_all(self) -> None:
        """Without a search a page has what comes next."""
        self.begin()
        page = self.found(limit=50)
        self.assertEqual(self.ids(page), [f"id-{n}" for n in range(50)])
        self.assertEqual((page.looked_at, page.cursor), (50, "50"))
        page = self.found(limit=50, cursor=page.cursor)
        self.assertEqual(self.ids(page)[0], "id-50")

    def test_beyond_the_first_page(self) -> None:
        """What is far from the beginning is found, part by part, and once."""
        self.begin()
        cursor, seen, parts = None, [], 0
        while True:
            page = self.found(search="order 4321", limit=25, cursor=cursor)
            self.assertLessEqual(page.looked_at, MOST_LOOKED_AT + 25)
            seen += self.ids(page)
            parts += 1
            cursor = page.cursor
            if cursor is None:
                break
        self.assertEqual((seen, parts), (["id-4321"], 3))

    def test_few_requests(self) -> None:
        """Where little is found, many are asked for at once."""
        letters = self.begin()
        self.found(search="order 4321")
        self.assertLessEqual(letters.pages, 8)

    def test_each_once(self) -> None:
        """A page is not more than full, and nothing is left out between two."""
        self.begin()
        cursor, seen = None, []
        while True:
            page = self.found(key="tenth", limit=30, cursor=cursor)
            self.assertLessEqual(len(page.items), 30)
            seen += self.ids(page)
            cursor = page.cursor
            if cursor is None:
                break
        self.assertEqual(seen, [f"id-{n}" for n in range(0, 5000, 10)])

    def test_ids(self) -> None:
        """One is found by each of its ids."""
        self.begin(100)
        for name in ("id-7", "offset-7", "first-7"):
            self.assertEqual(self.ids(self.found(id=name)), ["id-7"], name)

    def test_index(self) -> None:
        """What the index has is there before anything is looked at."""
        self.begin(indexed=(letter(4000), letter(4001)))
        self.assertEqual(self.ids(self.found(id="id-4001")), ["id-4001"])
        page = self.found(key="tenth", limit=2)
        self.assertEqual(self.ids(page), ["id-4000", "id-0", "id-10"])
        again = self.found(key="tenth", limit=2, cursor=page.cursor)
        self.assertEqual(self.ids(again)[0], "id-20")
        before = _START + timedelta(seconds=10)
        self.assertNotIn("id-4001", self.ids(self.found(id="id-4001", end=before)))

    def test_no_index(self) -> None:
        """Brokers that do not search their index let others be looked at."""
        letters = self.begin(100)

        def busy(*_args: Any, **_options: Any) -> Deferred[Any]:
            return fail(RefusedByAll("it cannot be searched", {"broker-a": "busy"}))

        letters.get = letters.by_key = busy  # type: ignore[method-assign]
        self.assertEqual(self.ids(self.found(id="id-7")), ["id-7"])
        self.assertEqual(len(self.found(key="tenth").items), 10)

    def test_slow(self) -> None:
        """A response does not take long, however slow brokers are."""
        letters = self.begin()
        browse = letters.browse

        def slowly(*wanted: Any) -> Deferred[Page]:
            self.clock.advance(0.5)
            return browse(*wanted)

        letters.browse = slowly  # type: ignore[method-assign]
        page = self.found(search="nothing", limit=10)
        self.assertEqual((page.looked_at, page.cursor), (1024, "1024"))

    def test_cancelled(self) -> None:
        """Who goes away leaves nothing that goes on."""
        letters = self.begin()
        letters.is_silent = True
        waiting = self.find(search="order 4321")
        self.assertNoResult(waiting)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(letters.pages, 1)
        letters.is_silent = False
        self.assertEqual(self.ids(self.found(id="id-3")), ["id-3"])

    def test_many(self) -> None:
        """One search too many is refused; pages without a search are not counted."""
        letters = self.begin()
        letters.is_silent = True
        waiting = [self.find(search="order") for _ in range(MOST_SEARCHES)]
        error = self.failureResultOf(self.find(search="order"), HttpError).value
        self.assertEqual(error.status, 429)
        self.assertNoResult(self.find())
        waiting[0].cancel()
        self.failureResultOf(waiting[0], CancelledError)
        letters.is_silent = False
        self.found(search="order 1")

    def test_gone(self) -> None:
        """A browser that goes away ends its search."""
        letters = self.begin()
        letters.is_silent = True
        wire = Wire(Visits(self.clock, letters).parts)
        path = "/api/dead-letters/messages?group=billing&search=nothing"
        wire.send(request_bytes("GET", path, Authorization=BEARER))
        [waiting] = letters.waiting
        wire.channel.connectionLost()
        self.assertTrue(waiting.called)
        self.assertEqual(letters.pages, 1)


class ConsoleSearchTests(ConsoleCase):
    """In a cluster, over HTTP."""

    def setUp(self) -> None:
        """Let a group have 300 dead letters."""
        super().setUp()
        self.run_admin(self.admin.groups.create("billing"))
        self.cluster.create_topic(_TOPIC, 1)
        for number in range(300):
            self.send(_TOPIC, b"order %d" % number, keys=[f"k{number}"])

    def find(self, **query: object) -> Any:
        """Search."""
        fields = urlencode({"group": "billing", **query})
        return self.get(f"/api/dead-letters/messages?{fields}")

    def test_found(self) -> None:
        """By words, by key, by id, and by time."""
        found = self.find(search="order 287")
        [row] = found["items"]
        self.assertEqual((row["keys"], found["looked_at"]), (["k287"], 300))
        self.assertIn(
            "k287", [k for each in self.find(key="k287")["items"] for k in each["keys"]]
        )
        for message_id in (row["message_id"], row["offset_id"]):
            ids = {each["message_id"] for each in self.find(id=message_id)["items"]}
            self.assertEqual(ids, {row["message_id"]})
        self.assertEqual(self.find(id="nothing")["looked_at"], 300)
        found = self.find(
            search="order", begin="2000-01-01T00:00:00Z", end="2000-01-02T00:00:00Z"
        )
        self.assertEqual((found["items"], found["looked_at"]), ([], 0))

    def test_refused(self) -> None:
        """What is no search is named."""
        for query, status, why in (
            ("group=nobody&key=k", 404, 'no group "nobody"'),
            ("group=billing&search=a+b+c+d+e", 400, "4 words"),
            ("group=billing&begin=yesterday", 400, "begin"),
            ("group=billing&cursor=nothing", 400, "not one that a page had"),
        ):
            response = self.visits.get(f"/api/dead-letters/messages?{query}")
            self.assertEqual(response.status, status, response.body)
            self.assertIn(why, response.error)
