"""
Fuzzing with a cost oracle: no input may cost more than linear work and memory.

Each target reads bytes of a peer or of a file. It must succeed or raise an error that
it declares, and its cost, which is counted and not timed (:mod:`tests.fuzz.cost`), must
stay within a budget in the length of the input. The unit tests run each target for a
moment, always with the same inputs, and replay all earlier findings in ``corpus``::

    python -m tests.fuzz --minutes 10 --target json
    python -m tests.fuzz --minutes 10 --engine atheris
"""
