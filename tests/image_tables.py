"""An imgCIF whose frames are images of other files, as little as that takes."""

from collections.abc import Sequence

TEXT = """#\\#CIF_1.1
data_x
loop_
_array_structure_list.array_id
_array_structure_list.index
_array_structure_list.dimension
_array_structure_list.precedence
1 1 {fast} 1
1 2 {slow} 2
loop_
_diffrn_scan_frame.scan_id
_diffrn_scan_frame.frame_id
_diffrn_scan_frame.frame_number
{scan}
loop_
_diffrn_data_frame.id
_diffrn_data_frame.array_id
_diffrn_data_frame.binary_id
{frames}
loop_
_array_data.array_id
_array_data.binary_id
_array_data.external_data_id
{data}
loop_
_array_data_external_data.id
_array_data_external_data.format
_array_data_external_data.uri
_array_data_external_data.archive_format
_array_data_external_data.archive_path
_array_data_external_data.path
_array_data_external_data.frame
{rows}
"""


def text_of_images(places: Sequence[str], fast: int, slow: int) -> str:
    """The text for one frame a place; a place is format, URI, archive format, archive path, path and frame."""
    numbers = range(1, len(places) + 1)
    return TEXT.format(
        fast=fast,
        slow=slow,
        scan="\n".join(f"S1 f{n} {n}" for n in numbers),
        frames="\n".join(f"f{n} 1 {n}" for n in numbers),
        data="\n".join(f"1 {n} e{n}" for n in numbers),
        rows="\n".join(f"e{n} {place}" for n, place in zip(numbers, places, strict=True)),
    )
