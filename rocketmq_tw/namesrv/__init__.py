"""
The name server: tells clients which brokers hold which topics.

``routes`` is the table of brokers and topics, ``kvconfig`` that of namespaced keys;
``registrations``, ``lookups`` and ``settings`` hand requests to them; ``service`` is
the running whole, ``tap`` its program. Several name servers may run side by side; they
never talk to each other: every broker registers with each of them.
"""
