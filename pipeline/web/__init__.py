"""What pages of a local server share: three.js, the address with its token, and a guard.

The server listens at 127.0.0.1 only. `guarded` puts a guard before an application: a request needs the token
in its path, and a Host header that names this machine.
"""
