"""
The layout of a stored record: offsets, sizes, structs and magics.

All numbers are big-endian. With IPv4 hosts the offsets are::

    0  total size 4   4  magic 4       8  body CRC 4     12 queue id 4   16 flag 4
    20 queue offset 8                  28 commit log offset 8            36 sys flag 4
    40 born time 8    48 born host 8|20                  56 store time 8
    64 store host 8|20                 72 reconsume times 4
    76 prepared offset 8               84 body length 4  88 body
       topic length 1 (magic V1) or 2 (V2), topic    properties length 2, properties

A host is an address and a port of 4 bytes. Bits 0x10 and 0x20 of the system flag mark a
born or store host with an IPv6 address, which has 20 bytes and moves the following
fields by 12 bytes. Magic V2 is used only for topics over 127 bytes: clients of 4.9
cannot read it. At the end of a file is a *blank*: the number of bytes left (4) and a
magic of its own (4).

Offsets count from the start of the record. Fields that are read alone are slices;
fields that are unpacked on the path of many records are structs.

Source: ``MessageExtEncoder``, ``MessageDecoder`` and ``CommitLog`` of RocketMQ 5.
"""

from __future__ import annotations

import struct
from typing import Final

from rocketmq_tw.model import sysflag

MAGIC_V1: Final = 0xDAA320A7
MAGIC_V2: Final = 0xDAA320AB
MAGIC_BLANK: Final = 0xCBD43194

#: The magics of records, and that of a blank, as in a file.
MAGICS: Final = (MAGIC_V1.to_bytes(4, "big"), MAGIC_V2.to_bytes(4, "big"))
BLANK_MAGIC: Final = MAGIC_BLANK.to_bytes(4, "big")

# -- fields at a fixed offset ---------------------------------------------------------

SIZE: Final = slice(0, 4)
MAGIC: Final = slice(4, 8)
BODY_CRC: Final = slice(8, 12)
QUEUE_ID: Final = slice(12, 16)
FLAG: Final = slice(16, 20)
QUEUE_OFFSET: Final = slice(20, 28)
COMMIT_LOG_OFFSET: Final = slice(28, 36)
SYS_FLAG: Final = slice(36, 40)
BORN_TIME: Final = slice(40, 48)
BORN_HOST_AT: Final = 48

# -- fields moved by an IPv6 host before them: their offset with IPv4 hosts -----------

STORE_TIME_AT: Final = 56
STORE_HOST_AT: Final = 64
PREPARED_OFFSET_V4: Final = slice(76, 84)
BODY_LENGTH_AT: Final = 84
BODY_AT: Final = 88

#: The size of a host with its port; and by how much an IPv6 host is longer.
HOST_V4_SIZE: Final = 8
HOST_V6_SIZE: Final = 20
V6_EXTRA: Final = HOST_V6_SIZE - HOST_V4_SIZE

# -- structs --------------------------------------------------------------------------

#: Size and magic: the start of a record, or a whole blank.
PREFIX: Final = struct.Struct(">II")
#: Everything before the born host.
HEAD: Final = struct.Struct(">IIIiiqqiq")
#: Everything before the body, with two IPv4 hosts.
HEAD_V4: Final = struct.Struct(">IIIiiqqiq8sq8siqI")
#: Everything between the store host and the body.
TAIL: Final = struct.Struct(">iqI")
#: A commit log offset.
OFFSET: Final = struct.Struct(">q")
#: The store time.
TIME: Final = struct.Struct(">q")
#: The length of the properties, and of the topic in magic V2.
SHORT_LENGTH: Final = struct.Struct(">H")
#: Size, magic, system flag, store time, body length; with two IPv4 hosts.
INDEXED_V4: Final = struct.Struct(">II28xI16xq20xI")
#: Size and commit log offset.
LOCATED: Final = struct.Struct(">I24xq")
#: Size, magic, body CRC, queue id, queue offset, commit log offset, system flag.
VERIFIED: Final = struct.Struct(">4I4xqqI")

# -- sizes ----------------------------------------------------------------------------

#: The smallest blank; this much space is left at the end of a file.
BLANK_SIZE: Final = PREFIX.size
#: The size of a record with two IPv4 hosts without topic, body and properties.
FIXED_SIZE: Final = HEAD_V4.size + 1 + SHORT_LENGTH.size
#: The longest topic with magic V1.
MAX_TOPIC_V1: Final = 127
#: The CRC of a body is stored without its sign bit.
CRC_MASK: Final = 0x7FFFFFFF
#: No record is longer: a larger size field is damaged.
MAX_RECORD_SIZE: Final = 128 << 20


def store_time_at(sys_flag: int) -> int:
    """Return the offset of the store time, which an IPv6 born host moves."""
    return STORE_TIME_AT + (V6_EXTRA if sys_flag & sysflag.BORN_HOST_V6 else 0)


def body_at(sys_flag: int) -> int:
    """Return the offset of the body, which either IPv6 host moves."""
    born = V6_EXTRA if sys_flag & sysflag.BORN_HOST_V6 else 0
    store = V6_EXTRA if sys_flag & sysflag.STORE_HOST_V6 else 0
    return BODY_AT + born + store
