"""For contributors: `python -m imgcif_core.checks new CODE name --item _item.id`, and `... inputs`."""

import argparse
import sys
from pathlib import Path

from imgcif_core.checks.menders import MENDERS
from imgcif_core.checks.scaffold import input_table, new_rule
from imgcif_core.errors import ImgcifError

_NEXT = """Fill in the dots, what is wrong in the module, and the edit of the case; then
  python conformance/make.py
  python docs/make.py
  python -m pytest tests/test_catalogue.py tests/conformance/test_suite.py -k {code}
"""


def main(words: list[str] | None = None) -> int:
    """Run one of the two; status 0, or 2 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m imgcif_core.checks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    new = commands.add_parser("new", help="write the module and the case folder of a new rule")
    new.add_argument("code", help="the code, such as AXI029: the next one that is free in its family")
    new.add_argument("name", help="what is wrong, in small letters joined by hyphens")
    new.add_argument("--item", required=True, help="the item that the rule judges")
    new.add_argument("--who", default="author", choices=sorted(MENDERS), help="who can mend what it finds")
    new.add_argument("--base", default="single-panel", help="the base of the cases, in conformance/datasets/bases")
    new.add_argument("--root", type=Path, default=Path(), help="the clone of the project; this folder unless given")
    commands.add_parser("inputs", help="what a rule can ask for by the names of its parameters")
    options = parser.parse_args(words)
    try:
        if options.command == "inputs":
            for name, kind, needs, text in input_table():
                sys.stdout.write(f"{name}: {kind}{f' from {needs}' if needs else ''}\n  {text}\n")
            return 0
        made = new_rule(options.code, options.name, options.item, who=options.who, base=options.base)
        for path in made.write(options.root):
            sys.stdout.write(f"{path}\n")
        sys.stdout.write(_NEXT.format(code=options.code))
    except ImgcifError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
