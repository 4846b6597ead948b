"""What is wrong with the files of TLS, or with a peer's certificate."""

from __future__ import annotations

from rocketmq_tw.model.errors import RocketMQError


class BadTlsFile(RocketMQError):
    """
    A file of TLS cannot be used.

    :param key: the setting that names it.
    :param path: the file.
    :param why: what is wrong with it.
    """

    def __init__(self, key: str, path: str, why: str) -> None:
        super().__init__(key, path, why)
        self.key = key
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.key}: {self.path} {self.why}"


class TlsFailed(RocketMQError):
    """
    No TLS connection was made with a peer.

    :param why: the reason, in plain words.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return self.why
