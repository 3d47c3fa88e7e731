#!/usr/bin/python3
"""One visitor, one visit: publishes and requests against a running service. Exit code 1 where an answer is wrong or
missing.

    npx sessionwise serve --redis redis://127.0.0.1:6379
    /usr/bin/python3 demo.py --redis redis://127.0.0.1:6379
"""

import argparse
import sys
import time
import uuid

from sessionwise import Sessionwise, SessionwiseError, session_of


def check(what, value, is_right):
    print(f"{'ok   ' if is_right else 'WRONG'} {what}: {value}")
    if not is_right:
        sys.exit(1)


def main():
    parser = argparse.ArgumentParser(description="Publishes and requests against a running Sessionwise service.")
    parser.add_argument("--redis", default="redis://127.0.0.1:6379", help="redis://host:port or unix:///path/to.sock")
    parser.add_argument("--namespace", default="sw", help="the store: its data and channels")
    parser.add_argument("--deadline", type=float, default=1.0, help="how long one answer may take, in seconds")
    options = parser.parse_args()

    vector = session_of("sessionwise")
    check("session_of('sessionwise')", vector, vector == "kbus6dn33vhgjvq213cakipfm")

    client = Sessionwise(options.redis, namespace=options.namespace, deadline=options.deadline)
    session = session_of(uuid.uuid4().hex)

    heard = client.publish("pageview", session, "/added/tv")
    check("publish pageview /added/tv", heard, heard)

    # Nobody waits for a published view: so the first answer may still be from before it.
    end = time.monotonic() + options.deadline
    while True:
        fresh = client.request("surface", session, ["/added/tv", "/added/tv-mount"])
        if fresh != ["/added/tv", "/added/tv-mount"] or time.monotonic() > end:
            break
    check("surface", fresh, fresh == ["/added/tv-mount"])

    view = client.request("pageview", session, "/added/tv?from=mail")
    check("pageview", view, view is not None and (view["totalPages"], view["previouslyVisited"]) == (2, True))

    marked = client.request("mark-notification-seen", session, ["n1"])
    check("mark-notification-seen", marked, marked == ["n1"])
    notices = client.request("notifications", session, [{"id": "n1"}, {"id": "n2", "title": "Märkte"}])
    expected = [{"id": "n1", "seen": True}, {"id": "n2", "title": "Märkte", "seen": False}]
    check("notifications", notices, notices == expected)

    published = client.request("publish-notice", session, {"to": {"subject": session}, "id": "n3", "text": "For you"})
    check("publish-notice", published and published["isNew"], published is not None and published["isNew"])
    listed = client.request("notices", session, {"limit": 5})
    shown = [(notice["id"], notice["read"]) for notice in listed["notices"]] if listed else None
    check("notices", shown, shown == [("n3", False)])
    marked = client.request("mark-notices", session, {"ids": ["n3"], "as": "read"})
    check("mark-notices", marked, marked == {"as": "read", "marked": 1})

    noted = client.request("track", session, {"event": "added-to-cart", "items": ["/added/tv?from=mail"]})
    check("track", noted, noted is not None and noted["count"] == 1)
    segments = client.request("segments", session, {"names": ["nobody-knows-it"], "here": "/added/tv"})
    check("segments", segments, segments == {"nobody-knows-it": False})
    explained = client.request("combo", session, {"name": "nobody-knows-it", "explain": True})
    check("combo, explained", explained, explained == {"suggestions": [], "rules": [], "segments": {}})

    try:
        check("an error reply", client.request("surface", session, "not JSON"), False)
    except SessionwiseError as error:
        check("an error reply", error.code, error.code == "bad-payload")

    started = time.monotonic()
    nothing = client.request("no-such-command", session)
    check("a command that nobody serves", nothing, nothing is None)
    check("costs no deadline", f"{(time.monotonic() - started) * 1000:.1f} ms", time.monotonic() - started < 0.5)
    client.close()


if __name__ == "__main__":
    main()
