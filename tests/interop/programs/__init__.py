"""Our client's counterparts of the Java programs, run as processes of their own."""
