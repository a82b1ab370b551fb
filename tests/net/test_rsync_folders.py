"""Members below folders of rsync servers: one deep list for all of them, kept for a second run."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from net.servers import network, settings
from net.test_rsync import daemon

from imgcif_core import api
from imgcif_core.checks.options import CheckOptions
from imgcif_core.images.limits import Limits
from imgcif_core.images.local import LocalData
from imgcif_core.manifest.members import members_of
from imgcif_core.net import rsync
from imgcif_core.net.evidence import gather
from imgcif_core.net.links import Link
from imgcif_core.net.plan import plan_of
from imgcif_core.net.tape import now

pytestmark = pytest.mark.skipif(shutil.which("rsync") is None, reason="the program rsync is not installed")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("folders")
    scan = found / "data/quartz/scan 1"
    scan.mkdir(parents=True)
    for number in (1, 2, 3):
        (scan / f"é_{number}.cbf").write_bytes(bytes(1000 + number))
    (scan / "empty.cbf").touch()
    (scan / "link.cbf").symlink_to("é_1.cbf")
    (found / "data/quartz/notes.txt").write_text("notes")
    (found / "data/quartz0.cbf").write_bytes(b"1")
    (found / "data/hollow").mkdir()
    return found


@pytest.fixture(scope="module")
def place(base: Path) -> Iterator[str]:
    with daemon(base) as found:
        yield found


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are run."""
    made, run = [], rsync._run
    monkeypatch.setattr(rsync, "_run", lambda command, *more: made.append(command) or run(command, *more))
    return made


def folder(uri: str, *members: str) -> Link:
    return Link(uri, "CBF", "", members, len(members))


NAMES = ("scan 1/é_1.cbf", "./scan 1/é_2.cbf", "scan 1/é_9.cbf", "scan 1/empty.cbf", "scan 1/link.cbf", "scan 1")


@pytest.mark.parametrize("end", ["", "/"])
def test_members_of_a_folder_have_names_and_sizes(place: str, end: str, runs: list) -> None:
    own, link = network(), folder(f"{place}/quartz{end}", *NAMES)
    (verdict,) = gather(own, [link]).verdicts.values()
    assert (verdict.state, verdict.because) == ("confirmed", "the folder is listed, with 2 of 6 members")
    listing = own.resolve(link.uri).open_archive(Limits()).listing()
    found = [listing.find(name) for name in NAMES]
    assert [entry and (entry.kind, entry.size) for entry in found[:4]] == [
        ("file", 1001), ("file", 1002), None, ("file", 0)
    ]  # fmt: skip
    assert [entry.kind for entry in found[4:]] == ["link", "folder"]
    assert listing.find("notes.txt").size == 5 and listing.find("quartz0.cbf") is None
    told = members_of(link, LocalData(), own, reads=False, is_here=False)
    assert [entry["size"] for entry in told["seen"]] == [1001, 1002] and told["missing"] == list(NAMES[2:])
    assert len(runs) == own.client.budget.requests == 1


def test_a_module_is_a_folder_too(place: str) -> None:
    (verdict,) = gather(network(), [folder(place, "quartz/notes.txt", "quartz0.cbf")]).verdicts.values()
    assert verdict.because == "the folder is listed, with 2 of 2 members"


def test_links_below_one_folder_cost_one_request(place: str, runs: list) -> None:
    own = network()
    links = [
        folder(f"{place}/quartz/scan%201/", "é_1.cbf", "é_3.cbf"),
        folder(f"{place}/quartz", "scan 1/é_1.cbf"),
        Link(f"{place}/quartz/notes.txt", "CBF", "", (), 1),
        Link(f"{place}/quartz/scan%201/%C3%A9_2.cbf", "CBF", "", (), 1),
        Link(f"{place}/quartz/scan%201/%C3%A9_4.cbf", "CBF", "", (), 1),
        Link(f"{place}/quartz/scan%201", "CBF", "", (), 1),
        Link(f"{place}/quartz/scan%201/empty.cbf", "CBF", "", (), 1),
    ]
    told = list(gather(own, links).verdicts.values())
    assert [verdict.state for verdict in told] == ["confirmed"] * 4 + ["contradicted"] * 3
    assert [verdict.because for verdict in told[:2]] == [
        f"the folder is listed, with {n} of {n} members" for n in (2, 1)
    ]
    assert [verdict.size for verdict in told] == [None, None, 5, 1002, None, None, 0]
    assert told[4].because.startswith("127.0.0.1 lists no scan 1/é_4.cbf below this folder - it has scan 1/é_")
    assert len(runs) == own.client.budget.requests == 1
    assert [step.requests for step in plan_of(links, (), own.settings, depth="none")] == [1]


@pytest.mark.parametrize(
    ("path", "state", "words"),
    [
        ("nothing", "contradicted", "no such file"),
        ("hollow", "contradicted", "lists nothing below this folder"),
        ("quartz0.cbf", "confirmed", "listed by rsync"),
        ("quartz/scan%201/link.cbf", "not checked", "a link there"),
    ],
)
def test_what_is_no_folder_is_told(place: str, path: str, state: str, words: str) -> None:
    (verdict,) = gather(network(), [folder(f"{place}/{path}", "a.cbf")]).verdicts.values()
    assert verdict.state == state and words in verdict.because


def test_bounds_of_a_deep_list(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    link = folder(f"{place}/quartz/", "a.cbf")
    (verdict,) = gather(network(max_download=100), [link]).verdicts.values()
    assert verdict.state == "not checked" and "--max-download" in verdict.because
    monkeypatch.setattr(rsync, "MAX_ENTRIES", 3)
    own = network()
    (verdict,) = gather(own, [link]).verdicts.values()
    assert (verdict.state, verdict.because) == ("not checked", "127.0.0.1 lists more than 3 names")
    told = members_of(link, LocalData(), own, reads=False, is_here=False)
    assert told["unseen"] == ["a.cbf"] and told["because"] == verdict.because


def test_a_second_run_asks_nobody(place: str, tmp_path: Path, runs: list, monkeypatch: pytest.MonkeyPatch) -> None:
    links = [folder(f"{place}/quartz/", *NAMES), Link(f"{place}/quartz0.cbf", "CBF", "", (), 1)]
    earlier = time.time() - 3600.0
    with monkeypatch.context() as patch:
        patch.setattr("imgcif_core.net.cache.time.time", lambda: earlier)
        first = gather(network(cache=tmp_path), links).verdicts
    assert len(runs) == 2
    own = network(cache=tmp_path, max_requests=0)
    second = gather(own, links).verdicts
    assert {verdict.seen for verdict in second.values()} == {now(earlier)}
    assert len(runs) == 2 and own.client.budget.requests == own.client.budget.bytes == 0
    assert [(one.state, one.because, one.size) for one in first.values()] == [
        (one.state, one.because, one.size) for one in second.values()
    ]
    assert own.resolve(links[0].uri).open_archive(Limits()).listing().find("scan 1/é_1.cbf").size == 1001


def test_a_kept_list_ends_after_a_day_and_is_not_used_where_rsync_is_not(
    place: str, tmp_path: Path, runs: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = [folder(f"{place}/quartz/", "notes.txt")]
    gather(network(cache=tmp_path), links)
    (verdict,) = gather(network(cache=tmp_path, uses_rsync=False), links).verdicts.values()
    assert (verdict.state, verdict.because) == ("not checked", "rsync is not used here")
    gather(network(cache=tmp_path, cache_days=30.0), links)
    assert len(runs) == 1
    later = time.time() + 86_500.0
    monkeypatch.setattr("imgcif_core.net.cache.time.time", lambda: later)
    gather(network(cache=tmp_path), links)
    assert len(runs) == 2


def test_faults_are_not_kept(place: str, tmp_path: Path, runs: list) -> None:
    for _ in range(2):
        gather(network(cache=tmp_path), [folder(f"{place}/nothing/", "a.cbf")])
    assert len(runs) == 2


def test_a_broken_list_of_the_cache_is_asked_anew(place: str, tmp_path: Path, runs: list) -> None:
    links = [folder(f"{place}/quartz/", "notes.txt")]
    gather(network(cache=tmp_path), links)
    (part,) = tmp_path.rglob("0-*")
    part.write_bytes(b"\xff" * part.stat().st_size)
    (verdict,) = gather(network(cache=tmp_path), links).verdicts.values()
    assert verdict.state == "confirmed" and len(runs) == 2


def test_a_tape_knows_flat_and_deep_lists(place: str, tmp_path: Path, runs: list) -> None:
    from dataclasses import replace

    from imgcif_core.net.network import Network

    links = [folder(f"{place}/quartz/", "notes.txt"), Link(f"{place}/quartz0.cbf", "CBF", "", (), 1)]
    given = settings(tape=tmp_path / "tape")
    first = gather(Network(given), links).verdicts
    again = gather(Network(replace(given, is_replay=True)), links).verdicts
    assert first == again and len(runs) == 2


def test_many_members_below_many_folders_cost_one_index() -> None:
    """Each folder takes its part of the sorted names."""
    from imgcif_core.net.folders import Below, lists_for
    from imgcif_core.net.rsync import Listed

    links = [folder("rsync://example.org/raw/", "0/0.cbf")]
    links += [folder(f"rsync://example.org/raw/{number}/", "0.cbf") for number in range(1000)]
    (asked,) = lists_for(links)
    entries = [Listed(f"{one}/{two}.cbf", 1, "file", "") for one in range(1000) for two in range(10)]
    below = Below(asked, entries)
    assert all(len(below.members(name)) == (10 if name else 10_000) for _, name in asked.links)


TEXT = """#\\#CIF_2.0
data_quartz
loop_
  _array_data_external_data.id
  _array_data_external_data.format
  _array_data_external_data.uri
  _array_data_external_data.archive_path
  E1 CBF {uri} 'scan 1/é_1.cbf'
  E2 CBF {uri} 'scan 1/é_2.cbf'
  E3 CBF {uri} 'scan 1/é_03.cbf'
  E4 CBF {uri} 'scan 1/empty.cbf'
"""


def test_a_check_tells_members_that_are_missing_with_the_nearest_name(place: str, tmp_path: Path, runs: list) -> None:
    data = TEXT.format(uri=f"{place}/quartz/").encode()
    for _ in range(2):
        options = CheckOptions(online=settings(cache=tmp_path), images="header")
        report = api.check(data, name="a.cif", options=options).files[0]
        told = {
            entry.message: entry for entry in report.findings if entry.rule == "EXT019" and entry.severity == "error"
        }
        assert list(told) == [
            "quartz has no member 'scan 1/é_03.cbf'", "quartz holds nothing in 'scan 1/empty.cbf' (0 bytes)"
        ]  # fmt: skip
        assert (
            told["quartz has no member 'scan 1/é_03.cbf'"].help == "the nearest name that no row has is scan 1/é_3.cbf"
        )
        assert not report.outcomes.crashed
        assert not [entry for entry in report.findings if entry.rule == "EXT018"]
        assert len(runs) == 1


def test_a_member_of_a_name_that_is_not_alike_is_no_remedy(place: str) -> None:
    data = TEXT.format(uri=f"{place}/quartz/").replace("é_03.cbf", "other.cbf").encode()
    report = api.check(data, name="a.cif", options=CheckOptions(online=settings(), images="header")).files[0]
    (told,) = [entry for entry in report.findings if "has no member" in entry.message]
    assert "nearest" not in told.help
