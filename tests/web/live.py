"""The page as a browser meets it: a server in a thread of the test, on a free port of this computer."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any


@contextmanager
def serving(folder: Path, **settings: Any) -> Iterator[str]:
    """The address of a public service with one worker, up to its path."""
    import uvicorn

    from imgcif_core.web.app import create_app
    from imgcif_core.web.config import PUBLIC, Config

    limits = replace(PUBLIC, per_minute=None, **settings.pop("limits", {}))
    config = Config(folder=str(folder), limits=limits, workers=1, is_public=True, **settings)
    server = uvicorn.Server(uvicorn.Config(create_app(config), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}{config.root_path}"
    finally:
        server.should_exit = True
        thread.join(20)
