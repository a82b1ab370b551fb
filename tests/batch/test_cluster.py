"""Many files on a Dask cluster: the same lines as by one process, also where a worker falls."""

from pathlib import Path

import pytest

from imgcif_core.batch import cluster
from imgcif_core.cli import check_main

pytest.importorskip("distributed")
EXAMPLE = (Path(__file__).parent.parent.parent / "examples" / "complete.cif").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files that are whole, with a fault, unreadable, and under a name that no list can hold."""
    found = tmp_path / "in"
    found.mkdir()
    for number in range(7):
        text = EXAMPLE if number % 2 else EXAMPLE.replace("_diffrn_radiation_wavelength.value", "_diffrn.no_such_name")
        (found / f"f{number:02d}.cif").write_text(text, encoding="utf-8")
    (found / "two\nlines.cif").write_text(EXAMPLE, encoding="utf-8")
    (found / "g.cif").write_bytes(b"\x1f\x8bbroken")
    return found


def run(*words: str) -> int:
    return check_main(["--format", "jsonl", "--profile", "core", *words])


@pytest.mark.cluster
def test_two_workers_give_the_lines_of_one_process(folder: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    assert run(str(folder), "-o", str(one)) == 2
    assert run(str(folder), "-o", str(two), "--cluster", "2") == 2
    assert sorted(one.read_bytes().splitlines()) == sorted(two.read_bytes().splitlines())
    assert len(one.read_bytes().splitlines()) == 9
    length = len(two.read_bytes())
    (folder / "f00.cif").write_text(EXAMPLE, encoding="utf-8")
    assert run(str(folder), "-o", str(two), "--cluster", "2", "--resume") == 2
    more = [line for line in two.read_bytes()[length:].splitlines() if b"unreadable" not in line]
    assert len(more) == 1 and b"f00.cif" in more[0]


@pytest.mark.cluster
def test_a_file_that_ends_its_process_harms_no_other(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def falls(words: tuple[str, ...], paths: list[str]) -> list[str]:
        from imgcif_core.batch.cluster import judge_chunk

        if any("f03" in path for path in paths):
            raise RuntimeError("the process has ended")
        return judge_chunk(words, paths)

    monkeypatch.setattr(cluster, "judge_chunk", falls)
    out = tmp_path / "out.jsonl"
    assert run(str(folder), "-o", str(out), "--cluster", "1") == 2
    lines = out.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 9
    fallen = [line for line in lines if "the process that judged it ended" in line]
    assert len(fallen) == 1 and "f03" in fallen[0]


@pytest.mark.cluster
def test_a_scheduler_and_its_workers_elsewhere(folder: Path, tmp_path: Path) -> None:
    from distributed import LocalCluster

    out, other = tmp_path / "out.jsonl", tmp_path / "other.jsonl"
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as found:
        assert run(str(folder), "-o", str(out), "--cluster", found.scheduler_address) == 2
        name = tmp_path / "scheduler.json"
        import json

        name.write_text(json.dumps(found.scheduler.identity()), encoding="utf-8")
        assert run(str(folder), "-o", str(other), "--cluster", str(name)) == 2
    assert sorted(out.read_bytes().splitlines()) == sorted(other.read_bytes().splitlines())


def test_a_judge_takes_a_path_and_gives_a_line_until_it_ends(folder: Path) -> None:
    words = ("--profile", "core")
    (line,) = cluster.judge_chunk(words, [str(folder / "f01.cif")])
    assert "f01.cif" in line
    (judge,) = cluster._JUDGES.values()
    judge._process.kill()
    judge._process.wait()
    with pytest.raises(RuntimeError, match="ended"):
        cluster.judge_chunk(words, [str(folder / "f01.cif")])
    assert cluster.judge_chunk(words, [str(folder / "f01.cif")]) == [line]
    for entry in cluster._JUDGES.values():
        entry.close()
    cluster._JUDGES.clear()


def test_what_is_no_cluster_is_one_sentence(folder: Path, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cluster, "_SECONDS_TO_CONNECT", 1)
    assert run(str(folder), "--cluster", "tcp://127.0.0.1:9") == 2
    assert "no scheduler answers" in capsys.readouterr().err
    assert run(str(folder), "--cluster", "0") == 2
    assert check_main([str(folder), "--cluster", "2"]) == 2
    assert run(str(folder), "--cluster", "2", "--jobs", "2") == 2
