"""Read a file with CBFlib through pycbf, binary sections and their digests included; one line for each complaint."""

import sys

import pycbf

handle = pycbf.cbf_handle_struct()


def unpack() -> None:
    """Decode each binary value of each data block."""
    for block in range(handle.count_datablocks()):
        handle.select_datablock(block)
        try:
            handle.find_category("array_data")
            handle.find_column("data")
        except Exception as error:
            if "NOTFOUND" in str(error):
                continue
            raise
        for row in range(handle.count_rows()):
            handle.select_row(row)
            if handle.get_typeofvalue().decode() == "bnry":
                handle.get_integerarray_as_string()


try:
    handle.read_widefile(sys.argv[1], pycbf.MSG_DIGEST)
    unpack()
except Exception as error:
    sys.stderr.write(f"pycbf: error {' '.join(str(error).split())}\n")
    sys.exit(1)
