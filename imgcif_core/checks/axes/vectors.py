"""Rules about the directions of axes: their length, the principal axis, kappa and chi."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.checks.axes.roles import FRAME, SCAN, SURFACE, AxisRoles
from imgcif_core.checks.edits import new_raw
from imgcif_core.checks.facts import facts
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances, decimal_halves
from imgcif_core.cif.document import Change
from imgcif_core.model.axes import Axes
from imgcif_core.model.beam import Beam
from imgcif_core.model.vectors import angle_between
from imgcif_core.tables import Table, Tables

VECTOR = ("vector[1]", "vector[2]", "vector[3]")
LABORATORY = "laboratory"
# Systems in which a unit vector has the length 1; lattice axes are as long as cell edges.
_CARTESIAN = frozenset({LABORATORY, "mcstas", "orthogonal", "abstract"})
# A vector further from the length 1 was not rounded: a component is wrong, and only its author knows which.
_ROUNDED = 0.05
# Cosine of 172 degrees: axes this near to opposite are meant to be parallel.
_OPPOSITE = -0.99


def lengths(axes: Axes) -> Floats:
    """Lengths of the vectors as printed: (n,), nan where a component cannot be read."""
    scale = np.abs(axes.vector).max(axis=1, initial=0.0)
    scale[~(scale > 0)] = 1.0
    found: Floats = np.linalg.norm(axes.vector / scale[:, None], axis=1) * scale
    return found


def printed_uncertainty(table: Table, axes: Axes) -> Floats:
    """By how much the length of each vector may be off through its printed decimals: (n,)."""
    halves = np.stack([decimal_halves(table, name) for name in VECTOR], axis=1)
    found: Floats = (np.abs(axes.direction) * halves).sum(axis=1)
    return found


@rule(
    "AXI003",
    "axis-vector-not-unit",
    severity="warning",
    source="_axis.vector[1]",
    message="axis {axis} has a vector of length {length:.6g} - expected 1",
)
def axis_vector_not_unit(tables: Tables, axes: Axes, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The vector of an axis is longer or shorter than 1, by more than its digits explain.
    Why: Programs that do not normalise the vector scale every displacement along it; a wrong length often
    means that a component is wrong.
    How to fix: Divide the three components by the length of the vector.
    Source: Dictionary imgCIF, _axis.vector[1]: the vector should be normalized to be a unit vector.
    """
    table = tables.table("axis")
    length = lengths(axes)
    is_cartesian = np.array([system in _CARTESIAN for system in axes.system])
    judged = is_cartesian & axes.has_vector & (length > 0)
    if not judged.any():
        raise NotApplicable("no vectors")
    deviation = np.abs(length - 1.0)
    printed = printed_uncertainty(table, axes)
    for row in np.flatnonzero(judged & (deviation > np.maximum(printed, tolerances.unit_vector_info))).tolist():
        severity = "warning" if deviation[row] > tolerances.unit_vector else "info"
        edits = _of_length_one(table, axes, row) if deviation[row] < _ROUNDED else []
        place = table.at(row, VECTOR[0])
        yield Problem(place, severity=severity, edits=edits, axis=axes.id[row], length=float(length[row]))


def _of_length_one(table: Table, axes: Axes, row: int) -> list[Change]:
    """The components of a vector divided by its length, nine decimals of them."""
    direction = axes.direction[row]
    texts = [f"{value:.9f}".rstrip("0").rstrip(".") for value in (direction / np.linalg.norm(direction)).tolist()]
    columns = [table.column(name) for name in VECTOR]
    changes = []
    for column, text in zip(columns, texts, strict=True):
        if column is not None and not column.is_null[row]:
            changes.append(new_raw(column, row, "0" if text == "-0" else text, is_safe=False))
    return changes


@rule(
    "AXI004",
    "null-axis-vector",
    severity="warning",
    source="_axis.vector[1]",
    message="{kind} axis {axis} has the vector (0, 0, 0), which gives no direction",
    messages={
        "acting": "{kind} axis {axis} has the vector (0, 0, 0), but {setting} is {value:g}",
        "left-out": "{kind} axis {axis} has no vector",
        "left-out-acting": "{kind} axis {axis} has no vector, but {setting} is {value:g}",
        "unknown": "{kind} axis {axis} has a vector that is not known in full",
    },
    helps={
        "": "give the direction as a unit vector in the laboratory frame, or leave out an axis that is not used",
        "acting": "give the direction as a unit vector in the laboratory frame",
        "left-out": "give the three components of its direction, or leave out an axis that is not used",
        "left-out-acting": "give the three components of its direction",
        "unknown": "give all three components of its direction",
    },
)
def null_axis_vector(tables: Tables, axes: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: The vector of a rotation or translation is null, left out or not known.
    Why: Without a direction a setting of the axis cannot be carried out; at zero the axis does nothing.
    How to fix: Give the direction as a unit vector in the laboratory system.
    Source: Dictionary imgCIF, _axis.vector[1]; AXIS example 6 has null vectors on axes that are never set.
    """
    table = tables.table("axis")
    unknown = np.zeros(len(axes), dtype=bool)
    for name in VECTOR:
        column = table.column(name)
        unknown |= column.is_unknown if column is not None else False
    moving = np.array([kind in ("rotation", "translation") for kind in axes.kind])
    length = lengths(axes)
    if not moving.any():
        raise NotApplicable("no rotation or translation")
    turning = np.flatnonzero(axes.rotation != 0)[::-1]
    turned = dict(zip(axes.rotation_parent[turning].tolist(), axes.rotation[turning].tolist(), strict=True))
    for row in np.flatnonzero(moving & (length == 0)).tolist():
        yield _null_problem(table, axes, axis_roles, row, turned.get(row), is_unknown=bool(unknown[row]))


def _null_problem(
    table: Table, axes: Axes, roles: AxisRoles, row: int, turned: float | None, *, is_unknown: bool
) -> Problem:
    """What is wrong with one null vector: an error only where the file acts on a vector that it gives as null.

    `turned` is the first constant rotation about this axis, in degrees.
    """
    setting = roles.setting(row, (SCAN, FRAME, SURFACE), axes.kind[row])
    name, value = (setting.name, setting.value) if setting is not None else ("", 0.0)
    if not name and turned is not None and axes.kind[row] == "rotation":
        name, value = "_axis.rotation", turned
    is_given = bool(axes.has_vector[row])
    variant = "unknown" if is_unknown else ("acting" if is_given else "left-out-acting") if name else ""
    if not variant and not is_given:
        variant = "left-out"
    return Problem(
        table.at(row, VECTOR[0]),
        severity="error" if variant == "acting" else "warning",
        variant=variant,
        kind=axes.kind[row],
        axis=axes.id[row],
        setting=name,
        value=value,
    )


def rotation_chain(axes: Axes, roles: AxisRoles) -> list[int]:
    """The rotations of the goniometer from the outermost one to where it branches; none with several roots."""
    inside = set(roles.goniometer())
    bases = [row for row in sorted(inside) if int(axes.parent[row]) not in inside]
    rotations = [row for row in bases if axes.kind[row] == "rotation"]
    if len(rotations or bases) != 1:
        return []
    found: list[int] = []
    following, seen = rotations or bases, set()
    while len(following) == 1 and following[0] not in seen:
        row = following[0]
        seen.add(row)
        if axes.kind[row] == "rotation":
            found.append(row)
        following = [child for child in roles.children[row] if child in inside]
    return found


@rule(
    "AXI006",
    "principal-axis-off-x",
    severity="warning",
    source="_axis.vector[1]",
    message="principal goniometer axis {axis} is {angle:.3g} degrees off the laboratory X axis",
    messages={"reversed": "principal goniometer axis {axis} points along -X - expected +X, from the sample outwards"},
)
def principal_axis_off_x(
    tables: Tables, axis_tree: Axes, axis_roles: AxisRoles, beam: Beam, tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The outermost rotation of the goniometer is not along the laboratory X axis.
    Why: X is defined by this very axis, so that the file uses another frame than the standard one; programs
    that take X for the rotation axis then go wrong.
    How to fix: Turn all vectors and offsets into the frame whose X axis is the principal goniometer axis.
    Source: Dictionary imgCIF, AXIS, the imgCIF standard laboratory coordinate system, axis 1 (X).
    """
    chain = rotation_chain(axis_tree, axis_roles)
    if not chain or axis_tree.system[chain[0]] != LABORATORY or not axis_tree.direction[chain[0]].any():
        raise NotApplicable("no principal goniometer axis")
    table, row = tables.table("axis"), chain[0]
    direction = axis_tree.direction[row]
    to_beam = float(angle_between(direction, beam.source))
    if min(to_beam, 180.0 - to_beam) <= tolerances.axis_near_beam_deg:
        raise NotApplicable("the goniometer axis is near the beam and does not define X")
    angle = float(angle_between(direction, np.array([1.0, 0.0, 0.0])))
    printed = float(np.degrees(np.hypot(*(decimal_halves(table, name)[row] for name in VECTOR[1:]))))
    limit = max(tolerances.principal_axis_deg, printed)
    if angle > limit:
        variant = "reversed" if 180.0 - angle <= limit else ""
        yield Problem(table.at(row, VECTOR[0]), variant=variant, axis=axis_tree.id[row], angle=angle)


@rule(
    "AXI020",
    "coincident-rotations",
    severity="warning",
    source="_axis.vector[1]",
    message="rotations {first} and {second} of the {equipment} have the same vector, offset and parent",
)
def coincident_rotations(tables: Tables, axes: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: Two rotations of one piece of equipment coincide in vector, offset and parent.
    Why: One axis of the instrument was probably listed twice, and its settings may be shared out between both.
    How to fix: Keep one of the two, or let the inner one depend on the outer one.
    Source: Dictionary imgCIF, _axis.id: each axis relevant to the experiment.
    """
    # A two-theta arm is coaxial with the theta circle, whatever its label.
    rows = [
        row
        for row, kind in enumerate(axes.kind)
        if kind == "rotation" and axes.direction[row].any() and not axis_roles.is_arm(row)
    ]
    if len(rows) < 2:
        raise NotApplicable("fewer than two rotations")
    seen: dict[tuple[object, ...], int] = {}
    for row in rows:
        numbers = np.concatenate([axes.vector[row], axes.offset[row], [axes.rotation[row]]]) + 0.0
        links = (int(axes.parent[row]), int(axes.rotation_parent[row]))
        first = seen.setdefault((axes.equipment[row], *links, *numbers.tolist()), row)
        # Modules may turn about one centre by different angles; then each axis carries something of its own.
        both_carry = axis_roles.children[first] and axis_roles.children[row]
        if first != row and axes.id[first] != axes.id[row] and not both_carry:
            yield Problem(
                tables.table("axis").at(row, "id"),
                first=axes.id[first],
                second=axes.id[row],
                equipment=axes.equipment[row] or "instrument",
            )


@rule(
    "AXI021",
    "unusual-goniometer-angles",
    severity="info",
    source="_axis.vector[1]",
    message="middle axis {middle} is {angle:.2f} degrees from {outer} - kappa goniometers have {known}, chi circles 90",
    messages={
        "reversed": "middle axis {middle} is {angle:.2f} degrees from {outer}, the kappa of {acute:.2f} turned round",
        "inner": "middle axis {middle} is {angle:.2f} degrees from {outer}, and {inner_angle:.2f} from {inner}",
    },
)
def unusual_goniometer_angles(
    tables: Tables, axis_tree: Axes, axis_roles: AxisRoles, tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The middle axis of a three-circle goniometer is at an angle of no usual goniometer.
    Why: Kappa axes stand at a few well-known angles and chi circles at right angles; another angle is often
    a sign that slipped or a vector that was measured at settings other than zero.
    How to fix: Nothing is needed where the goniometer is built so; otherwise correct the vector.
    Source: Dictionary imgCIF, AXIS example 1; Stout & Jensen (1989), X-ray structure determination, p. 134.
    """
    chain = rotation_chain(axis_tree, axis_roles)
    if len(chain) != 3 or not axis_tree.direction[chain].any(axis=1).all():
        raise NotApplicable("no three-circle goniometer")
    outer, middle, inner = chain
    angle, inner_angle, across = (
        float(angle_between(axis_tree.direction[one], axis_tree.direction[two]))
        for one, two in ((outer, middle), (middle, inner), (outer, inner))
    )
    acute, inner_acute = min(angle, 180.0 - angle), min(inner_angle, 180.0 - inner_angle)
    variant = None
    if acute >= 90.0 - tolerances.chi_circle_deg:
        variant = None if inner_acute >= 90.0 - tolerances.chi_circle_deg else "inner"
    elif min(across, 180.0 - across) <= tolerances.chi_circle_deg:
        known = any(abs(acute - alpha) <= tolerances.kappa_deg for alpha in facts("goniometers")["kappa"])
        variant = ("reversed" if angle > 90.0 else None) if known else ""
    else:
        variant = "inner"
    if variant is not None:
        yield Problem(
            tables.table("axis").at(middle, VECTOR[0]),
            variant=variant,
            middle=axis_tree.id[middle],
            outer=axis_tree.id[outer],
            inner=axis_tree.id[inner],
            angle=angle,
            acute=acute,
            inner_angle=inner_angle,
            known=", ".join(f"{alpha:g}" for alpha in facts("goniometers")["kappa"]),
        )


@rule(
    "AXI027",
    "inner-rotation-reversed",
    was=("frames-mixed",),
    severity="info",
    source="_axis.system",
    message="inner rotation {inner} points against the outer rotation {outer} - were NeXus vectors copied unturned",
)
def inner_rotation_reversed(tables: Tables, axis_tree: Axes, axis_roles: AxisRoles) -> Iterator[Problem]:
    """What: The innermost rotation of the goniometer is antiparallel to the outermost one at zero settings.
    Why: NeXus puts Z along the beam, so that vectors copied without turning them have X and Z reversed; where
    only some axes were turned, the inner ones rotate the wrong way.
    How to fix: Nothing is needed where the axis is meant to turn the other way; otherwise reverse its X and Z.
    Source: Dictionary imgCIF, AXIS, differences in coordinate frames.
    """
    chain = rotation_chain(axis_tree, axis_roles)
    if len(chain) < 2:
        raise NotApplicable("fewer than two goniometer rotations")
    outer, inner = chain[0], chain[-1]
    if float(axis_tree.direction[outer] @ axis_tree.direction[inner]) < _OPPOSITE:
        yield Problem(tables.table("axis").at(inner, VECTOR[0]), inner=axis_tree.id[inner], outer=axis_tree.id[outer])
