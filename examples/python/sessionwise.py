"""A small client for Sessionwise: publish, request, session_of.

It speaks protocol v1 (docs/protocol.md) with nothing but redis-py, 4.3.4 or newer 4.x.

    client = Sessionwise("redis://127.0.0.1:6379")
    session = session_of(cookie)                      # never send the cookie itself
    client.publish("pageview", session, "/tv")        # waits for no answer
    fresh = client.request("surface", session, ["/tv", "/lamp"])
    if fresh is None:                                 # no answer in time: go on without it
        fresh = ["/tv", "/lamp"]

The deadline. BLPOP's own timeout is no deadline: Redis looks for expired timeouts ten times a second (`hz 10`), and
0.1 s was measured to take 102 to 200 ms. redis-py's `socket_timeout` holds for a whole client and not for one request.
So a request waits for its socket to become readable, and no longer than its own deadline; the timeout that BLPOP is
given only ends a wait that this process left behind when it died. After a missed deadline the connection is closed,
because a late reply would else be read as the answer to the next request: a miss costs one new connection.

Limits: no circuit breaker, and one blocked connection per waiting thread. A process that waits for many answers at
once is better served by inbox replies (docs/protocol.md, Replies).
"""

import hashlib
import json
import re
import time
import uuid

import redis

_OUR_TOKEN = re.compile(r"([0-9a-z]{25})\.[A-Za-z0-9_-]{43}")
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,128}")
_ADDRESS = re.compile(r"https?://[^/\\?#]*", re.IGNORECASE)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class SessionwiseError(Exception):
    """The service answered with an error reply. `code` is one of protocol v1's."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


def session_of(token):
    """The public session of a token, whoever made it: 25 of [0-9a-z]."""
    ours = _OUR_TOKEN.fullmatch(token)
    if ours:
        return ours[1]
    number = int.from_bytes(hashlib.sha256(token.encode()).digest(), "big") % 36**25
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits.rjust(25, "0")


def without_query(value):
    """A payload whose paths and web addresses, wherever they stand in it, are cut to their path: a query can hold a
    secret, and what passes through Redis can stay there. So replies name paths too."""
    if isinstance(value, str):
        address = _ADDRESS.match(value)
        if address is None and not value.startswith("/"):
            return value
        path = re.split("[?#]", value[address.end() if address else 0 :], maxsplit=1)[0]
        return path if path.startswith("/") else f"/{path}"
    if isinstance(value, dict):
        return {field: without_query(each) for field, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_query(each) for each in value]
    return value


class Sessionwise:
    """One per process; its methods may be called by several threads."""

    def __init__(self, url, namespace="sw", deadline=0.1, connect_timeout=1.0):
        """`url`: redis://host:port/db, rediss://... or unix:///path/to.sock. `deadline`: how long a call may take
        unless told, in seconds. `connect_timeout`: how long a new connection may take beside it."""
        # redis-py takes socket_timeout for connecting too, and knows socket_connect_timeout for TCP only.
        self._redis = redis.Redis.from_url(url, socket_timeout=connect_timeout)
        self._prefix = "" if namespace == "sw" else f"{namespace}:"
        self._deadline = deadline

    def publish(self, command, session, payload=""):
        """Sends a command and waits for no answer. Whether somebody heard it, as far as Redis can tell; False as well
        where Redis is away."""
        try:
            return bool(self._send(command, session, f"_{uuid.uuid4().hex}", payload, self._end(None)))
        except redis.RedisError:
            return False

    def request(self, command, session, payload="", deadline=None):
        """Sends a command and waits for its answer, at most `deadline` seconds. None where none came: nobody listens,
        the service is too late, Redis is away or refuses us.

        Raises SessionwiseError where the service says that it cannot serve this."""
        request = uuid.uuid4().hex
        end = self._end(deadline)
        try:
            # Outside Cluster 0 means that nobody listens; in Cluster it counts the subscribers of one node only.
            if not self._send(command, session, request, payload, end):
                return None
            key = f"{self._prefix}async:{command}:{session}:{request}"
            popped = self._ask(end, "BLPOP", key, int(end - time.monotonic()) + 2)
        except redis.RedisError:
            return None
        if popped is None:
            return None
        value = json.loads(popped[1])
        if isinstance(value, dict) and "error" in value:
            raise SessionwiseError(value["error"]["code"], value["error"]["message"])
        return value

    def close(self):
        """Closes all connections."""
        self._redis.close()
        self._redis.connection_pool.disconnect()

    def _end(self, deadline):
        return time.monotonic() + (self._deadline if deadline is None else deadline)

    def _send(self, command, session, request, payload, end):
        if not _SESSION.fullmatch(session):
            raise ValueError("This is no session: give 1 to 128 of A-Z, a-z, 0-9, _ and -, or session_of(token).")
        if isinstance(payload, str) and payload[:1] in ("[", "{"):
            try:
                payload = json.loads(payload)
            except ValueError:
                pass
        payload = without_query(payload)
        message = payload if isinstance(payload, str) else json.dumps(payload)
        return self._ask(end, "PUBLISH", f"{self._prefix}ss:{command}:{session}:{request}", message)

    # One command and its reply, or None where `end` came first. redis-py's own methods have no deadline for one call:
    # so this takes a connection from the pool and looks at its socket.
    def _ask(self, end, *command):
        pool = self._redis.connection_pool
        connection = pool.get_connection(command[0])
        answered = False
        try:
            connection.send_command(*command)
            answered = connection.can_read(timeout=max(0.0, end - time.monotonic()))
            return connection.read_response() if answered else None
        finally:
            if not answered:
                connection.disconnect()
            pool.release(connection)
