"""Images read side by side: the same results in the same order, whatever happens to one of them."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import imgcif_core
from imgcif_core import CheckOptions
from imgcif_core.checks.engine import inputs_of
from imgcif_core.checks.images import survey
from imgcif_core.checks.registry import load_rules
from imgcif_core.cif.sections import section
from imgcif_core.images import side_by_side
from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import GIB, BytesError
from imgcif_core.limits import DEFAULT_LIMITS, Budget

HEAD = "###CBF: VERSION 1.5\ndata_x\nloop_\n_array_data.array_id\n_array_data.binary_id\n_array_data.data\n"


class Job:
    """Gives its number, or fails as it is told, with a half of the memory or at all."""

    def __init__(self, number: int, fault: str = "", *, only_half: bool = False) -> None:
        self.number, self._fault, self._only_half = number, fault, only_half

    def run(self, helper: Helper) -> str:
        is_half = helper.image_bytes < DEFAULT_LIMITS.image_bytes()
        if self._fault and (is_half or not self._only_half):
            raise BytesError(self._fault, "it is so")
        place = "alone" if threading.current_thread() is threading.main_thread() else "half" if is_half else "whole"
        return f"{self.number} {place}"

    def refused(self, fault: BytesError) -> str:
        return f"{self.number} {fault.kind}"


@pytest.fixture
def helper() -> Iterator[Helper]:
    found = Helper(memory=GIB, budget=Budget(DEFAULT_LIMITS))
    yield found
    found.close()


def outcomes(jobs: list[Job], helper: Helper) -> list[str]:
    prepared = [lambda _, job=job: job for job in jobs]
    return list(side_by_side.run_all(prepared, helper, is_shared=True))


def test_results_come_in_order_and_a_damaged_one_is_one(helper: Helper) -> None:
    jobs = [Job(number, "damaged" if number == 3 else "") for number in range(8)]
    assert outcomes(jobs, helper) == [f"{n} {'damaged' if n == 3 else 'half'}" for n in range(8)]


def test_what_needs_more_than_its_half_is_done_alone_and_so_is_what_follows(helper: Helper) -> None:
    jobs = [Job(number, "limit" if number == 1 else "", only_half=True) for number in range(8)]
    # Two more were under way when it turned out.
    assert outcomes(jobs, helper) == ["0 half", "1 alone", "2 half", "3 half", *(f"{n} alone" for n in range(4, 8))]
    assert outcomes([Job(0), Job(1, "crashed")], helper) == ["0 half", "1 crashed"]


def test_halves_share_the_memory_and_the_budget(helper: Helper) -> None:
    halves = helper.halves()
    assert all(half.budget is helper.budget for half in halves)
    # Each image is held by the decoder and by who counts, with copies: a GiB for both sides.
    assert 2 * 7 * halves[0].image_bytes <= GIB
    # The largest detectors, 16 Mpixel of 32 bits, are still read two at a time.
    assert halves[0].image_bytes > 4150 * 4371 * 4


def test_a_helper_without_bounds_is_not_halved() -> None:
    assert outcomes([Job(0), Job(1)], Helper()) == ["0 alone", "1 alone"]


def test_nothing_is_started_twice_on_one_core_or_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side.os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert not side_by_side.has_cores()
    monkeypatch.setattr(side_by_side.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(side_by_side, "_ALONE", [])
    assert side_by_side.has_cores()
    side_by_side.work_alone()
    assert not side_by_side.has_cores()


def write_series(path: Path, form: str) -> Path:
    """Ten images, the fourth one damaged where the form allows it, the last equal to the one before."""
    source = np.random.default_rng(4)
    images = [source.poisson(3.0, (64, 80)).astype(np.int32) for _ in range(9)]
    images.append(images[-1])
    if form == "embedded":
        sections = [section(image, number) for number, image in enumerate(images, 1)]
        sections[3] = sections[3].replace(b"X-Binary-Number-of-Elements: 5120", b"X-Binary-Number-of-Elements: 5121")
        path.write_bytes(HEAD.encode() + b"".join(b"1 %d\n" % n + entry for n, entry in enumerate(sections, 1)))
        return path
    import h5py

    with h5py.File(path.with_name("images.h5"), "w") as file:
        file["data"] = np.stack(images)
    rows = "\n".join(f"1 {n} e {n}" for n in range(1, 11))
    path.write_text(
        "data_x\nloop_\n_array_structure_list.array_id\n_array_structure_list.index\n"
        "_array_structure_list.precedence\n_array_structure_list.dimension\n1 1 1 80\n1 2 2 64\n"
        "loop_\n_array_data.array_id\n_array_data.binary_id\n_array_data.external_data_id\n_array_data.external_frame\n"
        f"{rows}\n_array_data_external_data.id e\n_array_data_external_data.format HDF5\n"
        "_array_data_external_data.uri images.h5\n_array_data_external_data.path /data\n"
    )
    return path


@pytest.mark.parametrize("form", ["embedded", "hdf5"])
def test_a_check_finds_the_same_side_by_side(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_series(tmp_path / "series.cif", form)
    monkeypatch.setattr(survey, "LEAST_PIXELS", 1)
    monkeypatch.setattr(survey, "LEAST_TOTAL", 1)
    started = []
    halves = Helper.halves
    monkeypatch.setattr(Helper, "halves", lambda own: started.append(own) or halves(own))
    reports = []
    for has_cores in (True, False):
        monkeypatch.setattr(survey, "has_cores", lambda value=has_cores: value)
        reports.append(imgcif_core.check(path, options=CheckOptions(images="all")))
    assert len(started) == 1
    first, second = ([finding.as_dict() for finding in report.findings()] for report in reports)
    assert first == second
    assert "IMG012" in {finding["rule"] for finding in first}
    assert reports[0].files[0].outcomes == reports[1].files[0].outcomes


def test_the_same_images_have_blocks_where_one_of_the_first_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = np.zeros((16, 20), np.int32)
    sections = [section(image, number) for number in range(1, 9)]
    sections[2] = sections[2].replace(b"x-CBF_BYTE_OFFSET", b"x-CBF_UNKNOWN")
    path = tmp_path / "series.cif"
    head = HEAD.replace("loop_\n", "_axis.id a\nloop_\n", 1).encode()
    path.write_bytes(head + b"".join(b"1 %d\n" % n + entry for n, entry in enumerate(sections, 1)))
    monkeypatch.setattr(survey, "LEAST_PIXELS", 1)
    monkeypatch.setattr(survey, "LEAST_TOTAL", 1)
    load_rules()
    for has_cores in (True, False):
        monkeypatch.setattr(survey, "has_cores", lambda value=has_cores: value)
        options = CheckOptions(images="all")
        top, inner = inputs_of(imgcif_core.read(path), imgcif_core.load_dictionary(), options)
        try:
            found = inner[0].get("any_survey")
        finally:
            for inputs in (*inner, top):
                inputs.close()
        with_blocks = [entry.label for entry in found.images if entry.thumbnail is not None]
        assert with_blocks == ["binary 1", "binary 2", "binary 4"]
        assert [entry.label for entry in found.unread] == ["binary 3"]
