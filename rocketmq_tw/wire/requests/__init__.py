"""
Every request, declared once with its response, by family.

``send``, ``pull``, ``offset``, ``message``, ``heartbeat``, ``lock``, ``route``,
``registration``, ``kvconfig``, ``topic``, ``group``, ``admin``.
"""
