"""Several processes together: turns and times told by files; answers on tape; an end to the time for the network."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from net.servers import client, network, serving, settings

from imgcif_core.images.limits import BytesError
from imgcif_core.net.http import Asked
from imgcif_core.net.limiter import SharedLimiter
from imgcif_core.net.network import Network


def test_who_asks_holds_the_turn_until_it_is_over(tmp_path: Path) -> None:
    one, other = SharedLimiter(tmp_path), SharedLimiter(tmp_path)
    bounds = settings(longest_pause=0.1)
    one.wait("a.example", bounds)
    with pytest.raises(BytesError, match="asked by others"):
        other.wait("a.example", bounds)
    other.wait("b.example", bounds)
    one.release("a.example")
    other.wait("a.example", bounds)
    other.release("a.example")


def test_times_of_other_processes_count(tmp_path: Path) -> None:
    bounds = settings(per_minute=3, longest_pause=1.0)
    for _ in range(3):
        limiter = SharedLimiter(tmp_path)
        limiter.wait("a.example", bounds)
        limiter.release("a.example")
    with pytest.raises(BytesError, match="this minute"):
        SharedLimiter(tmp_path).wait("a.example", bounds)
    with pytest.raises(BytesError, match="within an hour"):
        SharedLimiter(tmp_path).wait("a.example", settings(per_hour=3))
    # A refusal holds no turn.
    assert SharedLimiter(tmp_path).wait("a.example", settings()) is None


@pytest.mark.parametrize("text", ["", "{", "[1e99]", '["x", null]', "{}"])
def test_a_damaged_file_of_times_is_as_none(tmp_path: Path, text: str) -> None:
    limiter = SharedLimiter(tmp_path)
    limiter.wait("a.example", settings())
    limiter.release("a.example")
    (path,) = tmp_path.iterdir()
    path.write_text(text)
    limiter.wait("a.example", settings(per_minute=2, longest_pause=0.5))
    limiter.release("a.example")
    assert len(json.loads(path.read_text())) == 1


ASK = """
import sys
from pathlib import Path
from imgcif_core.net.http import Asked, Client
from imgcif_core.net.settings import Loopback, NetSettings
settings = NetSettings(loopback=Loopback(), shared=Path(sys.argv[2]))
Client(settings).ask(Asked(f"http://127.0.0.1:{sys.argv[1]}/a", 10, 0))
"""


def test_processes_ask_one_after_the_other(tmp_path: Path) -> None:
    busy, worst = 0, 0

    def slow(request) -> None:
        nonlocal busy, worst
        busy += 1
        worst = max(worst, busy)
        time.sleep(0.1)
        busy -= 1
        request.reply(200, b"0123456789")

    with serving() as site:
        site.handlers["/a"] = slow
        command = [sys.executable, "-c", ASK, str(site.port), str(tmp_path)]
        running = [subprocess.Popen(command) for _ in range(3)]
        assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len(site.asked) == 3
    assert worst == 1


def test_a_check_is_made_again_from_the_tape_without_asking(tmp_path: Path) -> None:
    with serving() as site:
        site.files["/a"] = b"###CBF: VERSION 1.5\n" + bytes(5000)
        first = network(tape=tmp_path / "tape").resolve(site.url("/a"))
        assert first is not None
        head, size = first.read_head(), first.size
        with pytest.raises(BytesError, match="no such file"):
            network(tape=tmp_path / "tape").resolve(site.url("/b")).read_head()
        asked = len(site.asked)
        again = network(tape=tmp_path / "tape", is_replay=True)
        same = again.resolve(site.url("/a"))
        assert (same.read_head(), same.size) == (head, size)
        with pytest.raises(BytesError, match="no such file") as fault:
            again.resolve(site.url("/b")).read_head()
        assert fault.value.kind == "gone"
        with pytest.raises(BytesError, match="was not asked") as fault:
            again.resolve(site.url("/c")).read_head()
        assert fault.value.is_unasked
        assert len(site.asked) == asked


def test_a_replay_tells_the_time_of_the_answers(tmp_path: Path) -> None:
    tape = tmp_path / "tape"
    first = Network(settings(tape=tape)).seen
    (tape / "time").write_text("2020-01-02T03:04:05Z")
    assert first.startswith("20")
    assert Network(settings(tape=tape, is_replay=True)).seen == "2020-01-02T03:04:05Z"


def test_the_time_for_the_network_ends(tmp_path: Path) -> None:
    with serving() as site:
        site.files["/a"] = bytes(100)
        own = client(seconds=0.2)
        own.ask(Asked(site.url("/a"), 10, 0))
        time.sleep(0.25)
        with pytest.raises(BytesError, match="time for the network") as fault:
            own.ask(Asked(site.url("/a"), 10, 0))
        assert fault.value.kind == "budget"
