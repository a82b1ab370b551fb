"""Rules that judge at most so many values say what they left out."""

from pathlib import Path

import numpy as np
import pytest

import imgcif_core
from imgcif_core.checks.consistency import distance, names, sample
from imgcif_core.checks.dictionary import values
from imgcif_core.checks.registry import NotChecked, say_beyond

LISTS = b"#\\#CIF_2.0\ndata_x\nloop_\n_axis.id\n_axis.vector[1]\n" + b"".join(
    b"a%d [1.0 0.0 0.0]\n" % row for row in range(4)
)
GROUPS = b"data_x\nloop_\n_space_group.id\n_space_group.IT_number\n" + b"".join(b"%d 19\n" % row for row in range(4))
BLOCKS = b"".join(b"data_x%d\n_audit.block_id x\n" % row for row in range(4))


@pytest.mark.parametrize(
    ("code", "module", "name", "data", "what"),
    [
        ("DIC011", values, "MAX_LISTS", LISTS, "1 lists beyond the first 3"),
        ("CON026", sample, "MAX_GROUPS", GROUPS, "1 space groups beyond the first 3"),
        ("CON025", names, "MAX_BLOCKS", BLOCKS, "1 blocks beyond the first 3"),
    ],
)
def test_what_is_left_out_is_told(
    code: str, module: object, name: str, data: bytes, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = imgcif_core.check(data).files
    assert code not in {entry.rule for entry in whole.outcomes.not_checked}
    monkeypatch.setattr(module, name, 3)
    (part,) = imgcif_core.check(data).files
    assert what in next(entry.reason for entry in part.outcomes.not_checked if entry.rule == code)


def test_all_looked_at_is_not_told() -> None:
    say_beyond(3, 3, "rows")
    with pytest.raises(NotChecked, match="2 rows beyond the first 3"):
        say_beyond(int(np.int64(5)), 3, "rows")


@pytest.mark.parametrize(("code", "module"), [("CON003", distance), ("CON006", distance)])
def test_distances_are_judged_with_all_scans_or_not_at_all(
    code: str, module: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next(Path(__file__).parents[2].glob("conformance/datasets/con/CON003-*/fail*.cif"))
    monkeypatch.setattr(module, "MAX_SCANS", 0)
    (entry,) = imgcif_core.check(path).files
    assert "scans beyond the first 0" in next(each.reason for each in entry.outcomes.not_checked if each.rule == code)
