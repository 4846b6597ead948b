"""
Every request, declared once with its answer, by family.

``send``, ``pull``, ``offset``, ``message``, ``heartbeat``, ``lock``, ``route``,
``registration``, ``kvconfig``, ``topic``, ``group``, ``admin``.
"""
