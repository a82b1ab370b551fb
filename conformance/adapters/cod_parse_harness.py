"""cif_parse of cod-tools as a reader of CIF 1.1 and 2.0: verdict, lines and values."""

import json
import re
import subprocess

from serve import serve

LINE = re.compile(r"\((\d+)(?:,\d+)?\)[^:]*: (ERROR|WARNING|NOTE), (.*)")
NUMBER = re.compile(r"\d+(?:\.\d+)+")


def value(raw: object, kind: object) -> object:
    """A value in the form of the suite; the kind tells nulls from quoted signs."""
    if isinstance(raw, list):
        return [value(entry, kind[index]) for index, entry in enumerate(raw)]
    if isinstance(raw, dict):
        return {"table": {key: value(entry, kind[key]) for key, entry in raw.items()}}
    return {"null": raw} if raw in ("?", ".") and kind == "UQSTRING" else raw


def block_values(block: dict) -> dict:
    """All items of a block and its save frames."""
    items = {
        tag: [value(raw, kind) for raw, kind in zip(block["values"][tag], block["types"][tag], strict=True)]
        for tag in block["tags"]
    }
    frames = [block_values(frame) for frame in block.get("save_blocks", [])]
    return {"code": block["name"], "items": items, **({"frames": frames} if frames else {})}


def check(request: dict) -> dict:
    """Parse one file and read the messages."""
    done = subprocess.run(["cif_parse", "--output-json", request["file"]], capture_output=True, check=False, timeout=15)
    findings = []
    for text in done.stderr.decode("utf-8", "replace").splitlines():
        match = LINE.search(text)
        if match and match[2] != "NOTE":
            severity = match[2].lower()
            findings.append({"rule": severity, "severity": severity, "line": int(match[1]), "message": match[3]})
    if done.returncode < 0:
        return {"error": f"ended by signal {-done.returncode}"}
    if done.returncode or any(finding["severity"] == "error" for finding in findings):
        findings = findings or [{"rule": "error", "severity": "error", "message": "refused without a message"}]
        return {"conforming": False, "findings": findings}
    try:
        document = {"blocks": blocks(done.stdout.decode("utf-8", "replace"))}
    except ValueError:
        # Accepted, but what is printed is no JSON: a code point beyond Unicode is written as it stands.
        document = None
    return {"conforming": True, "findings": findings, "document": document}


def blocks(output: str) -> list[dict]:
    """The data blocks in a stream of JSON objects."""
    decoder = json.JSONDecoder()
    found, position = [], 0
    while output[position:].strip():
        entry, position = decoder.raw_decode(output, len(output) - len(output[position:].lstrip()))
        found.append(block_values(entry["data"]))
    return found


told = subprocess.run(["cif_parse", "--version"], capture_output=True, text=True, check=False).stdout
number = NUMBER.search(told)
serve("cif_parse", number[0] if number else "unknown", check)
