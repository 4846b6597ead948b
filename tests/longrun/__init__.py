"""
Long runs: programs that hold real brokers to what the store promises.

Each prints its figures and ends with 1 if a promise was broken. Not part of the default
run of tests: ``python -m pytest tests/longrun`` runs them short, and for example
``python -m tests.longrun.kills --cycles 200`` long.
"""
