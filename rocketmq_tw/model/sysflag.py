"""
The bits of a message's system flag.

::

    0x001        body compressed          0x010  born host is IPv6
    0x002        topic filters many tags  0x020  store host is IPv6
    0x00C        transaction kind         0x040  the consumer unwraps it
    0x700        kind of compression      0x080  inner batch

Source: ``MessageSysFlag`` of RocketMQ 5.
"""

from typing import Final

COMPRESSED: Final = 0x1
MULTI_TAGS: Final = 0x2

TRANSACTION_MASK: Final = 0xC
NOT_TRANSACTIONAL: Final = 0x0
PREPARED: Final = 0x4
COMMIT: Final = 0x8
ROLLBACK: Final = 0xC

BORN_HOST_V6: Final = 0x10
STORE_HOST_V6: Final = 0x20
NEED_UNWRAP: Final = 0x40
INNER_BATCH: Final = 0x80

#: Used only with :data:`COMPRESSED`; 0 then means zlib, from old clients.
COMPRESSION_MASK: Final = 0x700
COMPRESSION_LZ4: Final = 0x100
COMPRESSION_ZSTD: Final = 0x200
COMPRESSION_ZLIB: Final = 0x300
