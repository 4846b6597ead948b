"""
How fast the broker is, and what it takes when it does nothing.

::

    python -m tests.bench                 # five shapes of sending, against the floor
    python -m tests.bench --apache v53    # reading too, against Apache's broker
    python -m tests.bench --only rest     # start-up, memory and CPU at rest

It needs a C compiler and the yardstick (``load.c`` and ``floor.py``), whose folder is
named by ``--yardstick`` or ``ROCKETMQ_TW_YARDSTICK``. The servers are driven in turn in
one run, several rounds; rates of two runs cannot be compared, ratios can.
"""
