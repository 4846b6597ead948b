"""Public doubles: run clients and servers on one ``Clock``, without sockets."""
