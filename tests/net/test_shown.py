"""What is shown of the network: a bar during long transfers, and the verdicts of links in the text report."""

import io
import pickle

from net.servers import client, serving
from net.test_checks import ARCHIVE, TEXT, no_waiting, online, record, zenodo  # noqa: F401

from imgcif_core import api
from imgcif_core.checks.options import CheckOptions
from imgcif_core.commands.progress import Progress
from imgcif_core.net.http import Asked
from imgcif_core.net.settings import NetSettings
from imgcif_core.render.text import render


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_short_transfer_shows_nothing_and_a_long_one_a_bar() -> None:
    stream, clock = io.StringIO(), Clock()
    told = Progress(1_000_000, stream, clock)
    for _ in range(30):
        told("zenodo.org", 10_000)
        clock.now += 0.125
    lines = [line for line in stream.getvalue().split("\r") if line]
    assert 5 <= len(lines) <= 12 and all(len(line) == 79 for line in lines)
    assert lines[0].startswith("[#...................] 90 kB of at most 1 MB, 90 kB/s, zenodo.org")
    assert stream.getvalue().endswith("\r")
    clock.now += 5.0
    before = stream.getvalue()
    told("zenodo.org", 10_000)
    assert stream.getvalue() == before, "a pause is no transfer"


def test_the_bar_is_told_of_bytes_as_they_come() -> None:
    told: list[tuple[str, int]] = []
    with serving(files={"/a": bytes(300_000)}) as site:
        own = client(observer=lambda host, size: told.append((host, size)))
        own.ask(Asked(site.url("/a"), 300_000, 0))
    assert sum(size for _, size in told) == 300_000 and len(told) >= 5
    assert pickle.loads(pickle.dumps(Progress(10)))._most == 10


def test_the_text_report_lists_what_came_of_each_link(zenodo) -> None:  # noqa: F811
    record(zenodo, {"quartz_01.tar.bz2": 1000})
    text = render(api.check(TEXT.encode(), options=online(zenodo), name="a.cif"))
    assert "  1 link: 1 confirmed\n" in text and f"    confirmed: {ARCHIVE}" in text
    assert "record 7654321 of zenodo.org holds" in text and "1000 bytes" in " ".join(text.split())
    other = TEXT.replace("quartz_01.tar.bz2 TBZ quartz_01/quartz_00001", "other.tar.bz2 TBZ quartz_01/quartz_00001")
    text = render(api.check(other.encode(), options=online(zenodo), name="a.cif"))
    assert "  2 links: 1 confirmed, 1 contradicted\n" in text
    assert text.index("    contradicted: ") < text.index("    confirmed: ")
    assert "links:" not in render(api.check(TEXT.encode(), name="a.cif"))
    assert all(len(line) <= 80 for line in text.splitlines() if "http" not in line)


def test_a_run_over_many_files_tells_the_plan_and_goes_on_later(tmp_path, capsys, monkeypatch) -> None:
    """A run that is shown on a terminal has the same name as one that is not."""
    from imgcif_core.batch.lines import run_name
    from imgcif_core.cli import check_main

    path = tmp_path / "a.cif"
    text = TEXT.replace("zenodo.org/records/7654321/files", "10.0.0.1")
    path.write_text("".join(line for line in text.splitlines(keepends=True) if "dataset_DOI" not in line))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    check_main([str(path), "--online", "--format", "jsonl", "-o", str(tmp_path / "out.jsonl")])
    assert "network: what will be asked, at most" in capsys.readouterr().err
    dictionary = api.load_dictionary()
    quiet = CheckOptions(online=NetSettings())
    shown = CheckOptions(online=NetSettings(observer=Progress(10)))
    assert run_name(quiet, dictionary) == run_name(shown, dictionary)
