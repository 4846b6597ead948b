"""
The logs of the programs: as text or JSON, by level, in files that can be opened again.

What is not asked for is not imported: a program in the foreground without options has
the log of ``twistd``.
"""
