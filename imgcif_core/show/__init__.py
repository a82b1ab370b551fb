"""The geometry passport: the instrument of a file in numbers, as data and as text."""

from imgcif_core.show.chains import geometry2
from imgcif_core.show.instrument import BlockInstrument, block_instruments
from imgcif_core.show.numbers import geometry
from imgcif_core.show.text import passport_text

__all__ = ["BlockInstrument", "block_instruments", "geometry", "geometry2", "passport_text"]
