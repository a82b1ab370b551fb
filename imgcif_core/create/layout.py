"""How panels become arrays, sections and elements, and which axes run along their pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from imgcif_core.cif.write import Category, Value, Values
from imgcif_core.create.names import distinct
from imgcif_core.create.numbers import tidy_number
from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import PanelFacts

STACK = "1"
# Beyond this many rows of frame and element, a stacked array is one element and linked as a whole.
MAX_ELEMENT_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class AxisRow:
    """A row of AXIS; offset None where it has none."""

    id: str
    kind: str
    equipment: str
    depends_on: str | None
    vector: np.ndarray
    offset: np.ndarray | None
    component: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The panels with the ids under which imgCIF knows them.

    `arrays` names the array of each panel; `sections` the section, None where a panel is a whole
    array; `elements` the detector elements, one for each panel or one for a whole array of many; fast and
    slow the ids of the surface axes; `modules` the array of each name that the source gives to one.
    """

    panels: tuple[PanelFacts, ...]
    names: tuple[str, ...]
    elements: tuple[str, ...]
    arrays: tuple[str, ...]
    sections: tuple[str | None, ...]
    fast: tuple[str, ...]
    slow: tuple[str, ...]
    modules: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, panels: Sequence[PanelFacts], taken: Sequence[str], frames: int = 1, keep_stack: bool = True
    ) -> "Layout":
        """Name the parts of a detector: one array, sections of one array, or an array for each panel."""
        count = len(panels)
        names = distinct([panel.name for panel in panels] if count > 1 else ["PANEL"], "PANEL")
        axes = ["slow", "fast"] if count == 1 else [f"{name}_{word}" for name in names for word in ("slow", "fast")]
        axes = distinct(axes, "surface", taken)
        is_stack = keep_stack and count > 1 and are_stacked(panels)
        arrays = [STACK] * count if is_stack or count == 1 else names
        sections = list(names) if is_stack else [None] * count
        is_whole = is_stack and count * frames > MAX_ELEMENT_ROWS
        elements = ("STACK",) if is_whole else tuple(names)
        fast, slow = tuple(axes[1::2]), tuple(axes[0::2])
        found = cls(tuple(panels), tuple(names), elements, tuple(arrays), tuple(sections), fast, slow)
        return found._with_modules(frames) if all(panel.array for panel in panels) else found

    def _with_modules(self, frames: int) -> "Layout":
        """The same where the source names the stored array of each panel: the panels are sections of these."""
        named = [panel.array for panel in self.panels]
        each = list(dict.fromkeys(named))
        ids = dict(zip(each, distinct(each, "array"), strict=True))
        arrays = tuple(ids[name] for name in named)
        is_many = len(self.panels) * frames > MAX_ELEMENT_ROWS
        elements = tuple(ids.values()) if is_many else self.names
        return replace(self, elements=elements, arrays=arrays, sections=self.names, modules=ids)

    @property
    def is_stack(self) -> bool:
        """True if the panels are sections of one array."""
        return self.has_sections and not self.modules

    @property
    def has_sections(self) -> bool:
        """True if the panels are sections of arrays."""
        return self.sections[0] is not None

    @property
    def array_ids(self) -> tuple[str, ...]:
        """The arrays, each once."""
        return tuple(dict.fromkeys(self.arrays))

    def axis_rows(self, carrier: str | None) -> list[AxisRow]:
        """Slow and fast axis of each panel: the slow one stands at the corner, the fast one on it."""
        rows = []
        for index, panel in enumerate(self.panels):
            slow, fast = self.slow[index], self.fast[index]
            component = self.names[index] if len(self.panels) > 1 else None
            rows.append(AxisRow(slow, "translation", "detector", carrier, panel.slow, panel.corner, component))
            rows.append(AxisRow(fast, "translation", "detector", slow, panel.fast, np.zeros(3), component))
        return rows

    def categories(self, origin: str) -> list[Category]:
        """ARRAY_STRUCTURE with its lists, sizes and intensities."""
        found = [Category("array_structure", {"id": list(self.array_ids)}), self._list(origin)]
        if self.has_sections:
            found.append(self._sections())
        found.append(self._surface(origin))
        found.append(self._element_sizes(origin))
        found.append(self._intensities(origin))
        return found

    def shape_of(self, array: str) -> tuple[int, ...]:
        """Dimensions of an array of sections, fastest first."""
        panels = [panel for panel, own in zip(self.panels, self.arrays, strict=True) if own == array]
        if panels[0].array_shape:
            return panels[0].array_shape
        fast = max(panel.raw_offset[0] + panel.size[0] for panel in panels)
        slow = max(panel.raw_offset[1] + panel.size[1] for panel in panels)
        depth = max(len(panel.raw_index) for panel in panels)
        slower = (1 + max(panel.raw_index[level] for panel in panels) for level in range(depth))
        return (fast, slow, *slower)

    def _list(self, origin: str) -> Category:
        """ARRAY_STRUCTURE_LIST: two rows for each panel, before them those of arrays of several."""
        rows: list[tuple[Value, ...]] = []
        for array in self.array_ids if self.has_sections else ():
            rows += [(array, i, n, i, "increasing", None, None) for i, n in enumerate(self.shape_of(array), 1)]
        for index, panel in enumerate(self.panels):
            array, section = self.arrays[index], self.sections[index]
            for number, axis in ((1, self.fast[index]), (2, self.slow[index])):
                rows.append((array, number, panel.size[number - 1], number, "increasing", axis, section))
        names = ("array_id", "index", "dimension", "precedence", "direction", "axis_set_id", "array_section_id")
        items: dict[str, Values] = {name: list(column) for name, column in zip(names, zip(*rows), strict=True)}
        if not self.has_sections:
            del items["array_section_id"]
        return Category("array_structure_list", items, sources={"": origin})

    def _sections(self) -> Category:
        """ARRAY_STRUCTURE_LIST_SECTION: first and last pixel of each panel in its array, from 1."""
        rows: list[tuple[Value, ...]] = []
        for name, array, panel in zip(self.sections, self.arrays, self.panels, strict=True):
            for number in (1, 2):
                start = panel.raw_offset[number - 1] + 1
                rows.append((name, array, number, start, start + panel.size[number - 1] - 1, 1))
            rows += [(name, array, level, place + 1, place + 1, 1) for level, place in enumerate(panel.raw_index, 3)]
        names = ("id", "array_id", "index", "start", "end", "stride")
        return Category(
            "array_structure_list_section",
            {name: list(column) for name, column in zip(names, zip(*rows), strict=True)},
        )

    def _surface(self, origin: str) -> Category:
        """ARRAY_STRUCTURE_LIST_AXIS: the first centre half a step from the corner, then whole steps."""
        ids, steps = [], []
        for index, panel in enumerate(self.panels):
            ids += [self.fast[index], self.slow[index]]
            steps += list(panel.pixel_size)
        return Category(
            "array_structure_list_axis",
            {
                "axis_set_id": ids,
                "axis_id": ids,
                "displacement": [tidy_number(0.5 * step) for step in steps],
                "displacement_increment": [tidy_number(step) for step in steps],
            },
            sources={"": origin},
        )

    def _element_sizes(self, origin: str) -> Category:
        """ARRAY_ELEMENT_SIZE in metres; a stacked array has one pixel size or none that is stated."""
        rows: list[tuple[Value, ...]] = []
        sizes: dict[str, set[tuple[float, float]]] = {}
        for panel, array in zip(self.panels, self.arrays, strict=True):
            sizes.setdefault(array, set()).add(panel.pixel_size)
        for array, own in sizes.items():
            panel = self.panels[self.arrays.index(array)]
            if len(own) == 1:
                rows += [(array, number + 1, _metres(panel.pixel_size[number])) for number in (0, 1)]
        if not rows:
            return Category("array_element_size", {})
        names = ("array_id", "index", "size")
        return Category(
            "array_element_size",
            {name: list(column) for name, column in zip(names, zip(*rows), strict=True)},
            sources={"": origin},
        )

    def _intensities(self, origin: str) -> Category:
        """ARRAY_INTENSITIES: gain and range of valid values of each array."""
        chosen = [self.panels[self.arrays.index(array)] for array in self.array_ids]
        items: dict[str, Values] = {"array_id": list(self.array_ids), "linearity": "linear"}
        for name in ("gain", "overload", "underload", "undefined_value"):
            values = [getattr(panel, name) for panel in chosen]
            if any(value is not None for value in values):
                items[name] = values
        return Category("array_intensities", items if len(items) > 2 else {}, sources={"": origin})


def _metres(millimetres: float) -> float:
    """A length in metres with the digits of that in millimetres."""
    return float(f"{millimetres * 1e-3:.15g}")


def are_stacked(panels: Sequence[PanelFacts]) -> bool:
    """True if the panels are told to lie in one array, each in a place of its own."""
    places = [(panel.raw_index, *panel.raw_offset) for panel in panels]
    if len({len(panel.raw_index) for panel in panels}) > 1 or len(set(places)) < len(places):
        return False
    boxes = sorted(zip(places, (panel.size for panel in panels), strict=True), key=lambda box: (box[0][0], box[0][2]))
    for position, ((index, fast, slow), size) in enumerate(boxes):
        for (other_index, other_fast, other_slow), other in boxes[position + 1 :]:
            if other_index != index or other_slow >= slow + size[1]:
                break
            if other_fast < fast + size[0] and fast < other_fast + other[0]:
                return False
    return True
