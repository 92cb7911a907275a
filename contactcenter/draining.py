"""Whether this process is going down: no new sockets, not ready; set once by the server, read by all."""

import threading

__all__ = ["draining"]

draining = threading.Event()
