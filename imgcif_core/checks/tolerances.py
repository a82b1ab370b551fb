"""How far apart two numbers may be before it is said, each limit with its reason."""

import re

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.records import dataclass
from imgcif_core.tables import Table

_NUMBER = re.compile(r"[+-]?\d*\.?(\d*)(?:[eE]([+-]?\d+))?")


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Limits of comparisons; units as named."""

    # Vectors printed with five or six digits are off by this much; longer deviations are meant.
    unit_vector_info: float = 1e-5
    unit_vector: float = 1e-3
    # Degrees: the angle to +X beyond which a principal axis is not along X by any rounding.
    principal_axis_deg: float = 0.1
    # Degrees: below this angle to the beam the goniometer does not define X (dictionary, AXIS).
    axis_near_beam_deg: float = 22.5
    # Degrees: chi circles are built at right angles to this accuracy.
    chi_circle_deg: float = 5.0
    # Degrees: kappa axes are aligned and measured to better than this.
    kappa_deg: float = 1.0
    # Degrees: a source axis is along Z by definition, so that only rounding may be left.
    beam_axis_deg: float = 0.1
    # Degrees: no beam is further from the perpendicular to the spindle through misalignment alone.
    beam_oblique_deg: float = 5.0
    # Cosine: gravity further along the beam than this is no gravity of a horizontal beam.
    gravity_along_beam: float = 0.2
    # Degrees: two statements of the direction of gravity at one instrument agree within this.
    gravity_deg: float = 1.0
    # Millimetres: no instrument is longer than the longest small-angle tubes.
    offset_mm: float = 50_000.0
    # Shares of the shorter edge of a panel: nothing is mounted so near, and metres would be some usual distance.
    distance_in_metres: tuple[float, float] = (1e-4, 0.02)
    # Ångström: tables of characteristic lines and their weighted means differ by less than this.
    line_angstrom: float = 1e-3
    # Polarization ratio that rings and lasers reach at least, and tubes with a monochromator at most.
    polarized: float = 0.9
    unpolarized: float = 0.1
    # Degrees: a polarization plane that is horizontal is so within this, tilted stations aside.
    polarization_deg: float = 10.0
    # Degrees: no beam for diffraction is more divergent.
    divergence_deg: float = 1.0
    # Relative: flux and exposure are known no better.
    flux: float = 0.1
    # Millimetres: from half a micrometre, finer than any sensor for diffraction, to large gas detectors.
    pixel_min_mm: float = 5e-4
    pixel_max_mm: float = 20.0
    # Metres: the same for element sizes, with room for strips.
    element_min_m: float = 1e-7
    element_max_m: float = 0.05
    # Millimetres: no sensor for x-rays or electrons is thicker, scintillators and image plates included.
    sensor_max_mm: float = 10.0
    # Steps: how far displacement / increment may be from 0 or 1/2 by rounding of either.
    half_pixel_share: float = 1e-3
    # Millimetres: offsets composed of rounded numbers meet an edge of the panel within this.
    corner_mm: float = 1e-3
    # Millimetres: two origins closer than this are one, however the numbers were printed.
    origin_mm: float = 1e-6
    # Cosine of the angle between the face of a panel and the ray to its centre that tells front from back.
    facing: float = 0.02
    # Degrees: mounts are square to the beam to better than this unless tilted on purpose.
    tilt_deg: float = 5.0
    # Millimetres across, and pixels along the faces: panels this close are mounted in one plane,
    # and overlap by no more than rounding.
    coplanar_mm: float = 0.1
    overlap_px: float = 0.1
    # Share of the shorter side of a panel: modules are mounted like shingles with less in the shadow of another.
    hidden_share: float = 0.25
    # Millimetres: modules of a flat detector are mounted in one plane to better than this.
    spread_mm: float = 10.0
    # Relative: nominal and calibrated pixel sizes of one detector differ by less.
    known_pixel: float = 0.01
    # Ångström: resolutions beyond which x-ray, electron and small-angle data are unusual.
    resolution_min: float = 0.2
    resolution_max: float = 100.0
    # Cosine between fast and slow beyond which pixels are visibly sheared.
    shear: float = 1e-3
    # Share of a step by which a printed range may miss frames x increment.
    range_share: float = 0.1
    # Degrees or millimetres: settings closer than this are the same by any use.
    setting: float = 1e-3
    # Pixels: beam centres further apart are noticed in processing.
    beam_centre_px: float = 1.0
    # Millimetres: distances further apart are noticed in processing.
    distance_mm: float = 0.1
    # Share of pixels: strong reflections saturate fewer, unless the limit is wrong.
    overloaded_share: float = 1e-3
    # Share of pixels: gaps and beam stop of no detector take as much.
    masked_share: float = 0.3
    # Pixels: rings of a weak background do not tell their centre better.
    ring_centre_px: float = 20.0
    # Factor between mean counts of frames of one scan that no decay of the beam explains.
    mean_drift: float = 5.0
    # Relative deviation between two statements of one length.
    relative: float = 1e-3
    # Millimetres: positions printed with the usual four decimals and composed of several axes agree to this.
    source_mm: float = 2e-3
    # Pixels: less than this is no different position to any reader.
    source_px: float = 0.02
    # Degrees: directions printed with four decimals agree to this.
    source_axis_deg: float = 0.02
    # Degrees: encoders and headers agree to this.
    source_setting_deg: float = 2e-3
    source_increment_deg: float = 1e-4
    # Relative: wavelengths printed with five digits agree to this.
    source_relative: float = 1e-4
    # Degrees per frame, and degrees per scan, outside which a rotation is rarely meant.
    usual_step_deg: tuple[float, float] = (1e-4, 15.0)
    usual_range_deg: float = 1000.0
    # Seconds: clocks of two computers, and the start of a program, are apart by this much.
    clock: float = 1.0
    # Seconds: an estimate of the end of a scan, or a clock that is ahead, is off by a day at most.
    day: float = 86_400.0
    # Seconds: times of one exposure that are printed or rounded differ by this much.
    exposure: float = 1e-3
    # Share by which an average may miss the times of the single frames.
    average_share: float = 0.1
    # Share by which the dates of a scan may miss the sum of its frames.
    duration_share: float = 0.05
    # Relative deviation of wavelength and energy: five digits are usually printed.
    energy_share: float = 1e-4
    # Share by which a ratio may miss a power of 1000 and still be a slip of the unit.
    unit_slip_share: float = 0.05
    # The same for distances, which are stated more exactly than pixels.
    distance_slip_share: float = 0.01
    # Share by which a distance that was measured, not derived, may miss the axes.
    measured_distance_share: float = 0.01
    # Share by which limits of resolution are rounded.
    resolution_share: float = 0.02
    # Share by which the time between two dates may miss the period.
    period_share: float = 0.1
    # Share of a length, and degrees, by which cells that were refined without their symmetry miss it.
    cell_share: float = 0.005
    cell_deg: float = 0.5


# A number with few digits is no licence for half of it: 0.0001 m is not 0.00015 m, and 0.5 s not 0.4 s.
DIGIT_SHARE = 0.05


def last_digit_half(text: str) -> float:
    """Half a unit of the last digit printed, at most a share of the value: 0.44 gives 0.005, 0.4 gives 0.02."""
    match = _NUMBER.match(text)
    if match is None:
        return 0.0
    half = printed_half(text)
    try:
        value = abs(float(match[0]))
    except ValueError:
        return half
    return min(half, DIGIT_SHARE * value) if value else half


def printed_half(text: str) -> float:
    """Half a unit of the last digit printed, however small the number is.

    For settings: an angle of 0.1 may stand for 0.0625, since its zero is where somebody put it.
    """
    match = _NUMBER.match(text)
    return 0.5 * 10.0 ** (int(match[2] or 0) - len(match[1])) if match else 0.0


def last_digit_halves(column: Column, rows: np.ndarray | None = None) -> np.ndarray:
    """`last_digit_half` of each value of a column, or of those of some rows: float64."""
    return _capped(column, rows, printed_halves(column, rows))


def _capped(column: Column, rows: np.ndarray | None, halves: np.ndarray) -> np.ndarray:
    """Halves of last digits, at most a share of their values; those of zeros stay."""
    values = np.abs(column.numbers().values if rows is None else column.numbers().values[rows])
    with np.errstate(invalid="ignore"):
        return np.where(values > 0, np.minimum(halves, DIGIT_SHARE * values), halves)


def printed_halves(column: Column, rows: np.ndarray | None) -> np.ndarray:
    """Half a unit of the last digit of each value of a column, or of those of some rows: float64."""
    chosen = np.arange(len(column)) if rows is None else rows
    if len(chosen) > 64 and column.is_constant:
        return np.full(len(chosen), printed_half(column.text(0)))
    halves = np.full(len(chosen), 0.5)
    data, starts = column.bytes_array, column.starts[chosen]
    ends = _before_uncertainties(data, starts, column.ends[chosen])
    is_odd = ~column.is_bare[chosen]
    open_rows = np.arange(len(chosen))
    for place in range(int(column.lengths[chosen].max(initial=0))):
        open_rows = open_rows[starts[open_rows] <= ends[open_rows] - 1 - place]
        byte = data[ends[open_rows] - 1 - place]
        point = byte == ord(".")
        halves[open_rows[point]] = 0.5 * 10.0**-place
        odd = (byte | 32 == ord("e")) | (byte == ord(")"))
        is_odd[open_rows[odd]] = True
        open_rows = open_rows[~point & ~odd]
        if not len(open_rows):
            break
    for index in np.flatnonzero(is_odd):
        halves[index] = printed_half(column.text(int(chosen[index])))
    return halves


def _before_uncertainties(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The ends of numbers without uncertainties such as (5) behind them: like ends."""
    rows = np.flatnonzero(data[ends - 1] == ord(")"))
    if not len(rows):
        return ends
    found, at = ends.copy(), ends[rows] - 2
    while len(rows):
        byte = data[at]
        found[rows[byte == ord("(")]] = at[byte == ord("(")]
        is_open = (byte >= ord("0")) & (byte <= ord("9")) & (at > starts[rows])
        rows, at = rows[is_open], at[is_open] - 1
    return found


def written_half(table: Table, name: str, row: int, *, is_setting: bool = False) -> float:
    """Half a unit of the last digit of one value of a table; 0 where it is absent or null."""
    text = table.text(name, row)
    half = printed_half if is_setting else last_digit_half
    return half(text) if text is not None else 0.0


def step_half(table: Table, name: str, row: int) -> float:
    """As `written_half` for a step that is counted many times: whole numbers are taken as exact."""
    text = table.text(name, row) or ""
    return last_digit_half(text) if "." in text else 0.0


def decimal_halves(table: Table, name: str) -> np.ndarray:
    """Half a unit of the last decimal of each value, 0 where it has none or is null: (rows,) float64.

    A number without decimals, such as the 1 of a unit vector, is taken as exact.
    """
    column = table.column(name)
    if column is None:
        return np.zeros(table.rows)
    first, inverse = column.distinct()
    texts = [column.text(int(row)) for row in first]
    halves = [printed_half(text) if "." in text else 0.0 for text in texts]
    exact = np.array([half if half < 0.5 else 0.0 for half in halves])
    return np.where(column.is_null, 0.0, exact[inverse]) if len(exact) else np.zeros(table.rows)
