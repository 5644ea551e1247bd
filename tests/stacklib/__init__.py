"""The world that Turnout lives in, as real servers in one directory.

tests/stack is the command; a test may use the classes themselves:

    from stacklib.stack import Stack
    with Stack(broker="kafka") as stack:
        stack.feed("a.ndjson.gz")
        stack.postgres.crash()

Standard library only.  Unix sockets wherever the server has one; TCP ports
are free ones of 127.0.0.1.
"""
