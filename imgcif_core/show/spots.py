"""Spots against the geometry for the page: what was found in sampled frames, and where a lattice predicts spots."""

from dataclasses import replace

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.checks.engine import Crashed, inputs_of
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import Blocked, NotApplicable, NotChecked
from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.findings import FileReport
from imgcif_core.render.sheet import Point, SpotFrame, SpotPlot
from imgcif_core.spots.predict import FOUND, Predicted, predict
from imgcif_core.spots.search import BEAM_OFF, Entry
from imgcif_core.spots.verdict import BETTER, CONSISTENT, SpotTest, judge

CODE = "IMG009"
# Frames that are drawn under each reading, and marks of each kind on one.
MAX_DRAWN, MAX_MARKS = 3, 400


def spot_plots(
    document: Document, dictionary: Dictionary, entry: FileReport, options: CheckOptions
) -> tuple[SpotPlot, ...]:
    """The spots of the first block that was judged by them, as written and under a reading that fits better.

    Nothing where the rule did not come to a verdict, or where the images would have to be fetched again.
    """
    is_judged = CODE in entry.outcomes.clean or any(finding.rule == CODE for finding in entry.findings)
    if not is_judged or options.online is not None:
        return ()
    top, inner = inputs_of(document, dictionary, replace(options, images="sample"))
    try:
        for inputs in inner:
            try:
                found = inputs.get("spot_frames")
            except (Blocked, NotApplicable, NotChecked, Crashed):
                continue
            test = judge(found.sample, found.cell)
            if test.verdict in (CONSISTENT, BETTER):
                return _plots(test)
    finally:
        for inputs in (*inner, top):
            inputs.close()
    return ()


def _plots(test: SpotTest) -> tuple[SpotPlot, ...]:
    """As written first, then the reading that fits better."""
    shown = [entry for entry in (test.written, test.best if test.verdict == BETTER else None) if entry is not None]
    return tuple(_plot(test, entry) for entry in shown if entry.fit.by_frame)


def _plot(test: SpotTest, entry: Entry) -> SpotPlot:
    """The first frames under one reading."""
    frames = predict(test.sample, entry.fit)[:MAX_DRAWN]
    left = len(test.sample.shots) - len(frames)
    caption = f"{entry.fit.indexed} of {test.sample.count} spots lie on one lattice"
    caption += f"; {left} more frames are not drawn" if left else ""
    if BEAM_OFF in entry.names:
        along, down = entry.fit.shift
        caption += f"; the detector moved by {along:.1f}, {down:.1f} pixels along fast and slow"
    names = ", or ".join(entry.names)
    return SpotPlot(
        f"{names[:1].upper()}{names[1:]}",
        caption,
        tuple(_frame(test, index, frame) for index, frame in enumerate(frames)),
    )


def _frame(test: SpotTest, index: int, predicted: Predicted) -> SpotFrame:
    """The panel of one frame that has most spots."""
    shot = test.sample.shots[index]
    sizes = [len(spots) for spots in shot.spots]
    panel = int(np.argmax(sizes))
    spots, begin = shot.spots[panel], sum(sizes[:panel])
    places = np.stack([spots.fast, spots.slow], axis=1)
    is_again = predicted.off[begin : begin + len(spots)] <= FOUND
    return SpotFrame(
        shot.label,
        shot.faces[panel].size,
        len(predicted.pixels[panel]),
        _points(predicted.pixels[panel]),
        _points(places[is_again]),
        _points(places[~is_again]),
    )


def _points(places: Floats) -> tuple[Point, ...]:
    """Places as points, the first of them."""
    return tuple((float(x), float(y)) for x, y in places[:MAX_MARKS])
