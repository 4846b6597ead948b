"""How tables and buffers are declared."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import msgspec


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """
    A setting that limits what peers can make grow.

    :ivar config: the struct of settings that has it.
    :ivar setting: its name there.
    :ivar past: what happens past it.
    :ivar said: words of the sentence that the peer gets, or the log, as in the code.
    :ivar shown: the names under which an operator sees how much there is, and how
        much was refused.
    """

    config: type[msgspec.Struct]
    setting: str
    past: str
    said: str
    shown: tuple[str, ...]

    @property
    def default(self) -> Any:
        """The value without a configuration."""
        return self._field.default

    @property
    def key(self) -> str:
        """The name in a configuration file; of a client's option, that option."""
        return self._field.encode_name

    @property
    def _field(self) -> msgspec.structs.FieldInfo:
        """The declaration of the setting."""
        fields = msgspec.structs.fields(self.config)
        return next(each for each in fields if each.name == self.setting)


class Growable(msgspec.Struct, frozen=True, kw_only=True):
    """
    A table or buffer that peers can make grow, up to its limits.

    :ivar what: what it has many of, in the plural.
    :ivar holds: its containers, as :func:`doc.limits.found.containers` names them.
    :ivar limits: the first one is that of all peers together.
    :ivar entry: the bytes of one of them at most; 1 where the limit is in bytes.
    :ivar most: how many there are at most if the default is to choose at the start.
    """

    what: str
    holds: tuple[str, ...]
    limits: tuple[Limit, ...]
    entry: int
    most: int | None = None

    @property
    def memory(self) -> int:
        """Bytes at most, by default."""
        return self.entry * (self.most or self.limits[0].default)


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """
    A cache of what peers bring. Nothing is refused: the oldest make place, or all.

    :ivar what: what it keeps, in the plural.
    :ivar holds: its containers.
    :ivar limit: the constant that says how many it keeps, or the function whose results
        it keeps.
    :ivar entry: the bytes of one of them at most; 1 where the limit is in bytes.
    """

    what: str
    holds: tuple[str, ...]
    limit: str
    entry: int

    @property
    def most(self) -> int:
        """The value of the constant, or how many results of a function are kept."""
        module, _, name = self.limit.rpartition(".")
        value: Any = getattr(import_module(f"rocketmq_tw.{module}"), name)
        if callable(value):
            value = value.cache_parameters()["maxsize"]
        return int(value)

    @property
    def memory(self) -> int:
        """Bytes at most."""
        return self.entry * self.most


class Bounded(msgspec.Struct, frozen=True):
    """
    Containers of a class or module that no peer can make grow.

    :ivar owner: the class or module, without the package.
    :ivar names: the containers, with blanks between them.
    :ivar reason: what bounds them.
    """

    owner: str
    names: str
    reason: str

    @property
    def holds(self) -> tuple[str, ...]:
        """The containers with their full names."""
        return tuple(f"{self.owner}.{name}" for name in self.names.split())
