"""
The name server: brokers register with it, and clients ask it who holds a topic.

``routes`` is the table of brokers and topics, ``kvconfig`` that of namespaced keys;
``registrations``, ``lookups`` and ``settings`` handle requests about them; ``service``
is the whole, ``tap`` its program. Several name servers may run at the same time; they
know nothing of each other: every broker registers with each of them.
"""
