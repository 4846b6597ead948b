"""
Tests of stores whose files were damaged while nobody looked: bits flipped, files lost.

The flips are as many as the environment variable ``ROCKETMQ_FLIPS`` says, 200 without
it; 10,000 take some minutes. ``ROCKETMQ_SEED`` makes them others.
"""

import itertools
import os
import random
import shutil

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.jsonfile import DamagedDocument, JsonFile
from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.consumequeue import ENTRY_SIZE
from rocketmq_tw.store.queues.fetch import FetchStatus, Matches
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.record import SYS_FLAG_AT, decode_all
from tests.store.cases import NOW, SMALL, TAG_A, draft
from tests.store.durability.test_recovery import LazyDisk, RecoveryCase

FLIPS = int(os.environ.get("ROCKETMQ_FLIPS", "200"))
SEED = int(os.environ.get("ROCKETMQ_SEED", "1"))
TOPICS = ("A", "B")
COUNT = 40
CONFIG = b'{"dataVersion":{"counter":1},"table":{"A":{"readQueueNums":4}}}'


class DamageCase(RecoveryCase):
    """A store of two topics with two queues each, and what it holds."""

    config = msgspec.structs.replace(
        SMALL, max_hash_slot_num=16, max_index_num=64, message_index_enable=True
    )

    def make(self, is_clean: bool) -> str:
        """Make a store that was closed, or killed a moment after it was written."""
        self.root = self.mktemp()
        store = self.open()
        for number in range(COUNT):
            store.put(self.numbered(number), NOW + number)
        self.clock.pump([0.25] * 8)
        if is_clean:
            self.successResultOf(store.close())
        root = self.kill()
        if not is_clean:
            self.successResultOf(store.close())
        for _ in range(2):
            JsonFile(f"{root}/config/topics.json").save(CONFIG)
        return root

    def numbered(self, number: int) -> object:
        """Draft one message; every topic and queue gets each fourth."""
        topic = TOPICS[number % 2].encode()
        body = b"%05d" % number * (1 + number % 3)
        return draft(
            body,
            topic=topic,
            queue_id=number // 2 % 2,
            properties=b"KEYS\1k%d\2TAGS\1TagA\2" % number,
        )

    def read(
        self, store: MessageStore, matches: Matches | None = None
    ) -> dict[tuple[str, int, int], bytes]:
        """
        Read all queues: body by topic, queue id and queue offset.

        Bodies are compared as they are stored. Nothing sums up a record's system flag,
        so that one which is damaged may say that a plain body is compressed.
        """
        found: dict[tuple[str, int, int], bytes] = {}
        for topic, queue_id in itertools.product(TOPICS, (0, 1)):
            at = store.min_offset(topic, queue_id)
            while at < store.max_offset(topic, queue_id):
                fetched = store.get(topic, queue_id, at, 32, 1 << 20, matches)
                assert not isinstance(fetched, Deferred)
                self.assertGreater(fetched.next_offset, at)
                for each in decode_all(fetched.data, lambda body, _: body):
                    key = (each.topic, each.queue_id, each.queue_offset)
                    self.assertEqual(key[:2], (topic, queue_id))
                    self.assertNotIn(key, found)
                    found[key] = each.body
                at = fetched.next_offset
        return found

    def expected(self, count: int = COUNT) -> dict[tuple[str, int, int], bytes]:
        """Return what :meth:`read` finds in a store that is whole."""
        return {
            (TOPICS[n % 2], n // 2 % 2, n // 4): b"%05d" % n * (1 + n % 3)
            for n in range(count)
        }


class FlipTests(DamageCase):
    """One bit of one file is another."""

    def test_flips_after_a_clean_stop(self) -> None:
        """It opens or names the file, gives no wrong bytes, and loses one message."""
        self.flip(self.make(is_clean=True), FLIPS // 2, seed=SEED)

    def test_flips_after_a_kill(self) -> None:
        """The same where the last run did not end well."""
        self.flip(self.make(is_clean=False), FLIPS - FLIPS // 2, seed=-SEED - 1)

    def test_the_sign_of_a_first_offset(self) -> None:
        """A negative place is no old record's: the entry is rebuilt from the log."""
        root = self.make(is_clean=True)
        self.flip_one(root, f"consumequeue/B/0/{0:020d}", 7)
        self.look(root, "consumequeue")

    def test_the_sign_of_a_middle_offset(self) -> None:
        """The same where the entry stands between others."""
        root = self.make(is_clean=True)
        self.flip_one(root, f"consumequeue/B/0/{0:020d}", ENTRY_SIZE * 8 * 2 + 7)
        self.look(root, "consumequeue")

    def test_the_sign_of_a_size(self) -> None:
        """Nor is a negative size an old record's."""
        root = self.make(is_clean=False)
        self.flip_one(root, f"consumequeue/B/0/{80:020d}", (2 * ENTRY_SIZE + 8) * 8 + 7)
        self.look(root, "consumequeue")

    def test_a_plain_body_that_is_called_compressed(self) -> None:
        """Nothing sums up the system flag: the record is served as it stands."""
        root = self.make(is_clean=False)
        self.flip_one(root, f"commitlog/{3000:020d}", (SYS_FLAG_AT + 3) * 8)
        self.look(root, "commitlog")

    def test_a_tags_code_that_cannot_be(self) -> None:
        """A code that is no 32-bit hash hides no message from a filter."""
        root = self.make(is_clean=True)
        for bit in (12 * 8 + 6, 15 * 8, 16 * 8 + 7):
            self.flip_one(root, f"consumequeue/B/0/{0:020d}", bit)
            store = self.open(root)
            self.assertEqual(self.read(store, TAG_A.__eq__), self.expected())
            self.successResultOf(store.close())

    def flip_one(self, root: str, name: str, bit: int) -> None:
        """Flip one bit of a file; bit 7 is the first byte's highest."""
        with open(os.path.join(root, name), "r+b") as file:
            data = bytearray(file.read())
            data[bit // 8] ^= 1 << bit % 8
            file.seek(0)
            file.write(data)

    def flip(self, root: str, count: int, seed: int) -> None:
        """Flip bits, one at a time, and open the store each time."""
        chosen = random.Random(seed)
        files = sorted(
            os.path.join(folder, name)
            for folder, _, names in os.walk(root)
            for name in names
            if name not in ("lock", "abort")
        )
        work = self.mktemp()
        for number in range(count):
            path = chosen.choice(files)
            with open(path, "rb") as file:
                data = bytearray(file.read())
            used = len(data.rstrip(b"\0")) + 8
            bit = chosen.randrange(min(used, len(data)) * 8)
            data[bit // 8] ^= 1 << bit % 8
            shutil.copytree(root, work)
            place = os.path.relpath(path, root)
            with open(os.path.join(work, place), "wb") as file:
                file.write(data)
            try:
                self.look(work, place)
            except Exception as error:
                raise AssertionError(f"#{number}: {place}, bit {bit}") from error
            shutil.rmtree(work)

    def look(self, root: str, place: str) -> None:
        """Open a damaged store and see that it is right."""
        if place.startswith("config"):
            try:
                JsonFile(f"{root}/config/topics.json").load()
            except DamagedDocument as error:
                self.assertIn("topics.json", str(error))
            return
        config = msgspec.structs.replace(self.config)
        store = MessageStore(root, self.clock, config, disk=LazyDisk())
        try:
            self.finish(store.open())
        except StoreUnreadable as error:
            self.assertIn(place.split("/")[0], str(error))
            return
        expected, found = self.expected(), self.read(store)
        wrong = {key for key in found if found[key] != expected.get(key)}
        self.assertEqual(wrong, set())
        lost = len(expected) - len(found)
        if place.startswith("commitlog"):
            self.assertLessEqual(lost, 1)
        else:
            self.assertEqual(lost, 0)
        self.goes_on(store)
        self.successResultOf(store.close())

    def goes_on(self, store: MessageStore) -> None:
        """See that the next messages get the next offsets, at most one given again."""
        for topic, queue_id in itertools.product(TOPICS, (0, 1)):
            next_one = draft(b"next", topic=topic.encode(), queue_id=queue_id)
            stored = store.put(next_one, NOW + COUNT)
            self.assertIn(stored.queue_offset, (COUNT // 4 - 1, COUNT // 4))
            fetched = store.get(topic, queue_id, stored.queue_offset, 1, 999, None)
            assert not isinstance(fetched, Deferred)
            self.assertIs(fetched.status, FetchStatus.FOUND)


class LossTests(DamageCase):
    """Files that are derived from the commit log are deleted, or emptied."""

    def test_each_and_every_pair_after_a_clean_stop(self) -> None:
        """All is rebuilt, with the same offsets."""
        self.lose_all(self.make(is_clean=True))

    def test_each_and_every_pair_after_a_kill(self) -> None:
        """The same where the last run did not end well."""
        self.lose_all(self.make(is_clean=False))

    def lose_all(self, root: str) -> None:
        """Lose each file and each pair, in both ways."""
        derived = sorted(
            os.path.relpath(os.path.join(folder, name), root)
            for folder, _, names in os.walk(root)
            for name in names
            if not folder.endswith(("commitlog", "config"))
            and name not in ("lock", "abort")
        )
        pairs = [(name,) for name in derived]
        pairs += list(itertools.combinations(derived, 2))
        work = self.mktemp()
        for number, pair in enumerate(pairs):
            shutil.copytree(root, work)
            for name in pair:
                path = os.path.join(work, name)
                os.unlink(path)
                if number % 2:
                    open(path, "wb").close()
            store = self.open(work)
            try:
                self.assertEqual(self.read(store), self.expected())
                for topic, queue_id in itertools.product(TOPICS, (0, 1)):
                    self.assertEqual(store.max_offset(topic, queue_id), COUNT // 4)
                    self.assertEqual(store.min_offset(topic, queue_id), 0)
            except Exception as error:
                raise AssertionError(f"without {pair}") from error
            self.successResultOf(store.close())
            shutil.rmtree(work)

    def test_all_of_them(self) -> None:
        """The commit log alone is enough, also where directories are gone."""
        for is_clean in (True, False):
            root = self.make(is_clean)
            for name in os.listdir(root):
                path = os.path.join(root, name)
                if name.startswith(("consumequeue", "index", "checkpoint")):
                    (shutil.rmtree if os.path.isdir(path) else os.unlink)(path)
            self.assertEqual(self.read(self.open(root)), self.expected())

    def test_a_lost_document_comes_from_its_backup(self) -> None:
        """A document of the configuration that is empty or gone."""
        root = self.make(is_clean=True)
        document = JsonFile(f"{root}/config/topics.json")
        for text in (b"", b"{", b"\0" * 50):
            with open(document.path, "wb") as file:
                file.write(text)
            self.assertEqual(document.load(), fastjson.loads(CONFIG))
        os.unlink(document.path)
        self.assertEqual(document.load(), fastjson.loads(CONFIG))
