"""Tests of the files of ACL 1.0."""

from __future__ import annotations

import os
from tempfile import mkdtemp

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.access.plain_files import (
    MAX_FILES,
    MAX_SIZE,
    Loaded,
    PlainFiles,
    make_text,
    read_document,
)
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.plain_document import (
    AccountChange,
    Document,
    Version,
    put_account,
    remove_account,
    replace_white,
)
from rocketmq_tw.auth.yaml_text import read_yaml

ACCOUNTS = """# mine
other: 7
globalWhiteRemoteAddresses: [10.0.1.*]
accounts:
  - {accessKey: RocketMQ, secretKey: hidden-1}
  - {accessKey: operator, secretKey: hidden-2, admin: true}
"""
MORE = """
globalWhiteRemoteAddresses: [10.0.2.*]
accounts:
  - {accessKey: RocketMQ, secretKey: hidden-3, admin: true}
  - {accessKey: another, secretKey: hidden-4}
"""


def read(path: str) -> Loaded:
    """Read files as a broker does at its start."""
    files = PlainFiles(path, 10)
    return files.read(files.stamps())


class DecodeTests(SynchronousTestCase):
    """What files may have."""

    def test_references(self) -> None:
        """They are refused before anything is built from them."""
        bomb = b"a: &a [1]\n" + b"b: &b [" + b"*a," * 9 + b"*a]\n"
        error = self.assertRaises(BadPolicy, read_document, bomb, "plain_acl.yml")
        self.assertIn("references", str(error))

    def test_objects(self) -> None:
        """A file makes no objects."""
        text = b"accounts: !!python/object/apply:os.system ['true']"
        self.assertRaises(BadPolicy, read_document, text, "plain_acl.yml")

    def test_too_large(self) -> None:
        """The size is looked at before anything is read."""
        folder = mkdtemp()
        self.addCleanup(os.system, f"rm -rf {folder}")
        path = os.path.join(folder, "plain_acl.yml")
        self.assertRaises(BadPolicy, read, path)
        with open(path, "wb") as file:
            file.truncate(MAX_SIZE + 1)
        error = self.assertRaises(BadPolicy, read, path)
        self.assertIn(str(MAX_SIZE), str(error))

    @settings(max_examples=200, deadline=None)
    @given(
        st.one_of(
            st.binary(max_size=400),
            st.text(max_size=400).map(str.encode),
            st.lists(
                st.sampled_from(
                    [
                        "accounts:",
                        "\n",
                        "  - ",
                        "accessKey: ",
                        "a",
                        "[",
                        "{",
                        "&x ",
                        "*x",
                    ]
                ),
                max_size=60,
            ).map(lambda words: "".join(words).encode()),
        )
    )
    def test_fuzz(self, data: bytes) -> None:
        """Whatever a file has, only the declared error is raised."""
        try:
            make_text(read_document(data, "plain_acl.yml"), "plain_acl.yml")
        except BadPolicy:
            pass


class ChangeTests(SynchronousTestCase):
    """Changes by requests."""

    def setUp(self) -> None:
        """Two files with accounts."""
        self.folder = mkdtemp()
        self.addCleanup(os.system, f"rm -rf {self.folder}")
        self.path = self.write("plain_acl.yml", ACCOUNTS)
        self.more = self.write("acl/more.yml", MORE)
        self.files = PlainFiles(self.path, 4)

    def write(self, name: str, text: str) -> str:
        """Write a file; return its path."""
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def document(self, path: str) -> Document:
        """Read a file by itself."""
        with open(path, "rb") as file:
            found = read_yaml(file.read())
        assert isinstance(found, dict)
        return found

    def test_loaded(self) -> None:
        """Each account counts once, in the order of files; white lists add up."""
        loaded = self.files.read(self.files.stamps())
        accounts = [(each.access_key, each.secret_key) for each in loaded.accounts()]
        self.assertEqual(
            accounts,
            [
                ("RocketMQ", "hidden-1"),
                ("operator", "hidden-2"),
                ("another", "hidden-4"),
            ],
        )
        self.assertEqual(loaded.white(), ["10.0.1.*", "10.0.2.*"])
        self.assertEqual(loaded.file_of("RocketMQ"), self.path)
        self.assertEqual(loaded.file_of("another"), self.more)
        self.assertIsNone(loaded.file_of("eve"))

    def test_change(self) -> None:
        """The file has the change and the next version, and what else it had."""
        os.chmod(self.path, 0o640)
        change = AccountChange("operator", admin=True, topic_perms=["T=PUB"])
        loaded = self.files.change(
            self.path, lambda document: put_account(document, change), 1000
        )
        self.assertEqual(loaded.texts[self.path].version, Version(1, 1000))
        self.assertEqual(loaded.texts[self.more].version, Version())
        self.assertIn("T", loaded.acl.accounts["operator"].topics)
        document = self.document(self.path)
        self.assertEqual(document["other"], 7)
        self.assertEqual(document["accounts"][1]["secretKey"], "hidden-2")
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o640)
        self.assertEqual(loaded.stamps, self.files.stamps())
        self.assertEqual(sorted(os.listdir(self.folder)), ["acl", "plain_acl.yml"])

    def test_file_that_is_absent(self) -> None:
        """The main file is made when it is needed, for the program's user only."""
        os.unlink(self.path)
        self.files.change(self.path, lambda d: replace_white(d, ["10.0.3.*"]), 1000)
        self.assertEqual(self.document(self.path)["dataVersion"][0]["counter"], 1)
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

    def test_link(self) -> None:
        """A link to a file stays one."""
        real = self.write("real", ACCOUNTS)
        os.unlink(self.path)
        os.symlink("real", self.path)
        self.files.change(self.path, lambda d: remove_account(d, "operator"), 1000)
        self.assertTrue(os.path.islink(self.path))
        self.assertEqual(len(self.document(real)["accounts"]), 1)

    def test_unusable_change(self) -> None:
        """What could not be used is not written."""
        many = [f"{i}" + "x" * 100 for i in range(MAX_SIZE // 100)]
        for edit in (
            lambda d: put_account(d, AccountChange("bob", "hidden-5")),
            lambda d: put_account(d, AccountChange("operator", "short")),
            lambda d: put_account(d, AccountChange("operator", topic_perms=["T"])),
            lambda d: put_account(d, AccountChange("operator", "")),
            lambda d: replace_white(d, ["10.0.0"]),
            lambda d: replace_white(d, many),
        ):
            self.assertRaises(BadPolicy, self.files.change, self.path, edit, 1000)
        with open(self.path) as file:
            self.assertEqual(file.read(), ACCOUNTS)

    def test_not_writable(self) -> None:
        """A file that cannot be written changes nothing, and the remark says why."""
        os.mkdir(self.path + ".tmp")
        error = self.assertRaises(
            BadPolicy,
            self.files.change,
            self.path,
            lambda d: replace_white(d, []),
            1000,
        )
        self.assertIn("cannot be written", str(error))

    def test_many_files(self) -> None:
        """There are so many files, and no more."""
        for number in range(MAX_FILES):
            self.write(f"acl/{number}.yml", "")
        error = self.assertRaises(BadPolicy, read, self.path)
        self.assertIn(str(MAX_FILES), str(error))
