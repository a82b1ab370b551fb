"""What harnesses share: read requests from standard input, answer each with one line of JSON."""

import json
import sys
from collections.abc import Callable
from typing import Any


def serve(name: str, version: str, check: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer requests until there are no more; `check` gets a request and gives the answer to it."""
    replies = sys.stdout
    # What a library prints must not stand among the answers.
    sys.stdout = sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"name": name, "version": version} if request["op"] == "hello" else check(request)
        replies.write(json.dumps({"id": request["id"], **answer}) + "\n")
        replies.flush()


def refused(message: str, line: int | None = None, rule: str = "parse") -> dict[str, Any]:
    """The answer that a file is refused for one reason."""
    finding = {"rule": rule, "severity": "error", "message": message[:300], "line": line}
    return {"conforming": False, "findings": [finding]}
