"""
The name server: brokers register with it, and clients ask it which brokers hold a
topic.

``routes`` is the table of brokers and topics, ``kvconfig`` the table of namespaced
keys; ``registrations``, ``lookups`` and ``settings`` handle requests about them;
``service`` assembles the parts, ``tap`` is the program. Several name servers may run at
the same time without knowing each other: every broker registers with each of them.
"""
