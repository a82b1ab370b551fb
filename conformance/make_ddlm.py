"""Write the cases for the constraints of the dictionary from the table of its facts; `--check` only compares.

Each kind of constraint is violated, and each violation has a legal neighbour. Run `make.py` afterwards.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ddlm import names, relations, values
from ddlm.facts import Facts

TARGET = Path(__file__).resolve().parent / "datasets" / "ddlm"


def main() -> int:
    """Write or compare the case files; status 1 if one differs."""
    check = "--check" in sys.argv[1:]
    facts = Facts()
    status = 0
    for made in (*values.builders(facts), *relations.builders(facts), *names.builders(facts)):
        path = TARGET / made.folder / "case.json"
        text = json.dumps(made.document, indent=1, ensure_ascii=True) + "\n"
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{made.folder}: case.json is not what the facts make\n")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
