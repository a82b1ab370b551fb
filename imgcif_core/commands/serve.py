"""`imgcif serve`: the web page, for one user on this computer or for many."""

import argparse
import secrets
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgcif_core.commands.common import emit
from imgcif_core.errors import InputError, UsageError

if TYPE_CHECKING:
    from socket import socket

    from imgcif_core.web.config import Config

_MISSING = "the page needs the extra web: pip install 'imgcif_core[web]'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `imgcif serve`."""
    add = parser.add_argument
    add("--host", help="address to listen on (default: 127.0.0.1, this computer alone)")
    add("--port", type=int, help="port to listen on, 0 for a free one (default: 8421)")
    add("--root-path", metavar="PATH", help="prefix under which a proxy offers the page, such as /imgcif")
    add("--config", metavar="FILE.toml", help="limits, hosts, proxies and texts of a public service")
    add("--public", action="store_true", help="let anybody in who reaches the address, within public limits")
    add("--workers", type=int, metavar="N", help="files checked at a time (default: one for each core)")
    add(
        "--online",
        action="store_true",
        help="let users follow links over the network (public: in --config)",
    )
    add("--no-browser", action="store_true", help="do not open the page in a browser")
    add("--open", metavar="FILE", help="show the report on this file first")


def run(given: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        import uvicorn

        from imgcif_core.web.app import create_app
        from imgcif_core.web.slow import Protocol
    except ImportError as error:
        raise UsageError(f"{_MISSING} ({error.name or error} is missing)") from None
    config = configured(given)
    if given.open is not None and not Path(given.open).is_file():
        raise InputError(f"{given.open}: no such file")
    sock = _listen(config)
    config = replace(config, port=sock.getsockname()[1])
    app = create_app(config, first=given.open)
    address = address_of(config)
    emit(sys.stdout, address)
    if config.is_public:
        _log_requests()
    elif not given.no_browser:
        _open_browser(address)
    settings = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=2,
        # The last resort, without a word of ours: beyond far fewer requests the guard answers.
        limit_concurrency=2000,
        proxy_headers=False,
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run(sockets=[sock])
    return 0


def configured(given: argparse.Namespace) -> "Config":
    """The configuration of the options, which go before those of the file.

    Raises
    ------
    UsageError
        If the page would be open to others and nobody has said that it should be.
    """
    from imgcif_core.web.config import PUBLIC, Config, checked, load_config

    if given.config is not None:
        config = load_config(given.config)
    elif given.public:
        config = Config(is_public=True, limits=PUBLIC)
    else:
        config = Config()
    named = {"host": given.host, "port": given.port, "root_path": given.root_path, "workers": given.workers}
    config = replace(config, **{name: value for name, value in named.items() if value is not None})
    if given.online and config.is_public and not config.online:
        raise UsageError(
            "a public page follows links only by its configuration: online = true in [server], contact in [operator]"
        )
    config = replace(config, online=config.online or given.online)
    config = checked(config)
    if config.is_public:
        return config
    if not config.is_loopback:
        raise UsageError(
            f"--host {config.host} lets others reach the page, which has no key and takes files of 2 GB: "
            "say --public to mean it, with its limits, or give a --config"
        )
    return replace(config, token=secrets.token_urlsafe(16))


def address_of(config: "Config") -> str:
    """The address to open; that of a page for one user holds its key."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    key = f"?token={config.token}" if config.token else ""
    return f"http://{host}:{config.port}{config.root_path}/{key}"


def _listen(config: "Config") -> "socket":
    """The socket, listening before anything is said, so that a port in use is one sentence."""
    import socket

    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((config.host, config.port))
        # Who opens the address as soon as it is told waits for an answer, and is not refused.
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise UsageError(
            f"{config.host} port {config.port}: {error.strerror or error}; choose another --port"
        ) from None
    return sock


def _log_requests() -> None:
    """Write a line for each request to standard error: time, method, kind of page, status, bytes, seconds."""
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("imgcif.web")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def _open_browser(address: str) -> None:
    """Open the page where there is a desktop."""
    import os
    import webbrowser

    if sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        with suppress(webbrowser.Error):
            webbrowser.open(address)
