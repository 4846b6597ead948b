"""SQL92 expressions as filters of stored records."""

from __future__ import annotations

import msgspec

from rocketmq_tw.filter.sql92.compiler import SqlFilter
from rocketmq_tw.wire import properties as properties_text


class SqlRecords(msgspec.Struct, frozen=True, eq=False):
    """
    A filter of records; see :class:`rocketmq_tw.store.queues.filtered.RecordFilter`.

    :ivar sql: the expression that their properties are to meet.
    """

    sql: SqlFilter

    @property
    def cost(self) -> int:
        """Return how many parts the expression has."""
        return self.sql.cost

    def __call__(self, tags_code: int) -> bool:
        """Return True: the code of a record's tags says nothing of its properties."""
        return True

    def accepts(self, properties: bytes) -> bool:
        """Return whether a record with these properties is wanted."""
        text = properties.decode("utf-8", "replace")
        return self.sql.matches(properties_text.decode(text))
