"""The grammars of RFC 3986 and RFC 3987, for values of the types Uri and Iri."""

import re

_IPV4 = r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_PERCENT = "%[0-9A-Fa-f]{2}"
_SUB_DELIMITERS = "!$&'()*+,;="
# The characters beyond ASCII that an IRI may hold, and those of its queries alone.
_BEYOND = "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef" + "".join(
    f"{chr(plane << 16)}-{chr(plane << 16 | 0xFFFD)}" for plane in range(1, 15)
)
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"


def _ipv6() -> str:
    """An address of version 6, with `::` at most once."""
    group = "[0-9A-Fa-f]{1,4}"
    last = f"(?:{group}:{group}|{_IPV4})"
    forms = [f"(?:{group}:){{6}}{last}", f"::(?:{group}:){{5}}{last}"]
    for before in range(1, 6):
        forms.append(f"(?:(?:{group}:){{0,{before - 1}}}{group})?::(?:{group}:){{{5 - before}}}{last}")
    forms.append(f"(?:(?:{group}:){{0,5}}{group})?::{group}")
    forms.append(f"(?:(?:{group}:){{0,6}}{group})?::")
    return "(?:" + "|".join(forms) + ")"


def _grammar(beyond: str, private: str, *, is_reference: bool) -> str:
    """The regular expression of a reference, or of what has a scheme, with some characters beyond ASCII."""
    plain = f"A-Za-z0-9\\-._~{beyond}{_SUB_DELIMITERS}"
    character = f"(?:[{plain}:@]|{_PERCENT})"
    host = rf"(?:\[(?:{_ipv6()}|[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~{_SUB_DELIMITERS}:]+)\]|(?:[{plain}]|{_PERCENT})*)"
    authority = rf"(?:(?:[{plain}:]|{_PERCENT})*@)?{host}(?::\d*)?"
    rooted = f"/(?:{character}+(?:/{character}*)*)?"
    hierarchy = f"(?://{authority}(?:/{character}*)*|{rooted}|{character}+(?:/{character}*)*|)"
    without_colon = f"(?:[{plain}@]|{_PERCENT})+"
    relative = f"(?://{authority}(?:/{character}*)*|{rooted}|{without_colon}(?:/{character}*)*|)"
    absolute = rf"[A-Za-z][A-Za-z0-9+.\-]*:{hierarchy}"
    path = f"(?:{absolute}|{relative})" if is_reference else absolute
    return rf"{path}(?:\?(?:[{plain}{private}:@/?]|{_PERCENT})*)?(?:#(?:[{plain}:@/?]|{_PERCENT})*)?"


def uri_reference() -> re.Pattern[str]:
    """A reference of RFC 3986 section 4.1: a URI, or a relative reference."""
    return re.compile(_grammar("", "", is_reference=True))


def iri() -> re.Pattern[str]:
    """An IRI of RFC 3987: it has a scheme, and may hold characters beyond ASCII."""
    return re.compile(_grammar(_BEYOND, _PRIVATE, is_reference=False))
