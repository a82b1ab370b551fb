"""What a file is compared with: one source or several, a whole series of images or some of it."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from imgcif_core.images.limits import OWN_FOLDER, Reach
from imgcif_core.records import dataclass
from imgcif_core.sources.any import read_described, split_kind
from imgcif_core.sources.description import Experiment, Origin, Provenance
from imgcif_core.sources.detect import detect
from imgcif_core.sources.draft import Draft, Incomplete
from imgcif_core.sources.series import read_inputs


@dataclass(frozen=True)
class Sample(Experiment):
    """An experiment of which only some images are at hand: how many frames there are, it does not tell."""


def read_reference(sources: Sequence[str | Path], reach: Reach = OWN_FOLDER) -> Experiment:
    """The experiment that sources describe together; a `Sample` where they are images given one by one.

    Parameters
    ----------
    sources :
        Any that `imgcif create` reads; a directory or archive stands for a whole series.
    reach :
        Where links of HDF5 files may lead.

    Raises
    ------
    InputError
        If a source cannot be read, or leaves the place of the detector open.
    """
    paths = [str(source) for source in sources]
    if len(paths) == 1 and not Path(split_kind(paths[0])[1]).is_dir():
        kind, path = split_kind(paths[0])
        if kind in ("minicbf", "smv", "tiff") or (not kind and _is_image(path)):
            return _sample(_comparable(read_described(paths[0], reach=reach)))
    described = read_inputs(paths, gaps="split", reach=reach)
    experiment = _comparable(described)
    return _sample(experiment) if len(paths) > 1 and all(map(_is_image, paths)) else experiment


def _comparable(described: Experiment | Incomplete) -> Experiment:
    """The experiment of what is told; what a header leaves open gets a stand-in that its provenance calls a default."""
    if not isinstance(described, Incomplete):
        return described
    if isinstance(described, Draft) and not described.panels:
        fast, slow = described.size or (0, 0)
        stand_ins = {"size": (0, 0), "pixel_size": (1.0, 1.0), "distance": 100.0, "beam_centre": (fast / 2, slow / 2)}
        blank = Provenance(Origin.DEFAULT, described.path, "the header does not give it")
        for name, value in stand_ins.items():
            if getattr(described, name) is None:
                described = described.with_fact(name, value, blank)
        if any(described.provenance[name] == blank for name in stand_ins if name in described.provenance):
            words = "distance and beam centre as far as they are given, across the beam"
            described = described.with_fact("panels", (), Provenance(Origin.DERIVED, described.path, words))
    return described.guessed()


def _is_image(path: str) -> bool:
    """True for a file of one image."""
    from imgcif_core.sources.archive import is_archive

    kind, plain = split_kind(path)
    if kind or not Path(plain).is_file() or is_archive(plain):
        return kind in ("minicbf", "smv", "tiff")
    return detect(plain).is_single_image


def _sample(experiment: Experiment) -> Sample:
    """The same as a sample."""
    return Sample(**{entry.name: getattr(experiment, entry.name) for entry in fields(experiment)})
