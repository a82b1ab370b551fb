"""An RO-Crate 1.1 of a file, its report and the archive files that it links to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from imgcif_core import api
from imgcif_core._version import __version__
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import OutputError, UsageError
from imgcif_core.findings import Report
from imgcif_core.manifest.looking import Looking
from imgcif_core.output import refuse_output, write_file

METADATA = "ro-crate-metadata.json"
REPORT = "imgcif-check-report.json"
_CONTEXT = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "http://schema.org/sha256"}]
_MEDIA = {
    "HDF5": "application/x-hdf5",
    "TIFF": "image/tiff",
    "ZIP": "application/zip",
    "TAR": "application/x-tar",
    "TGZ": "application/gzip",
    "TBZ": "application/x-bzip2",
    "TXZ": "application/x-xz",
}
_CREATIVE_COMMONS = re.compile(r"(?:cc-(by(?:-nc)?(?:-sa|-nd)?)|cc-?(?:0|zero))-(\d\.\d)", re.IGNORECASE)


def crate_folder(place: str, file: str, *, overwrite: bool) -> Path:
    """The root of a crate, with all that would be written there allowed; nothing is written yet.

    Raises
    ------
    UsageError
        If the place is a file of another name than RO-Crates have.
    OutputError
        If it is no folder, or something there is not to be replaced.
    """
    path = Path(place)
    if path.suffix == ".json" and not path.is_dir():
        if path.name != METADATA:
            raise UsageError(f"--crate {place}: expected a folder, or {METADATA} in it")
        path = path.parent
    if not path.is_dir():
        raise OutputError(f"{place}: no such folder")
    for name in (METADATA, REPORT):
        refuse_output(path / name, overwrite=overwrite, inputs=[file])
    own = path / Path(file).name
    if own.name in (METADATA, REPORT):
        raise UsageError(f"{file}: has the name of a part of the crate")
    if not _is_same(own, file):
        refuse_output(own, overwrite=overwrite, inputs=[file])
    return path


def _is_same(own: Path, file: str) -> bool:
    """True if a file lies in the crate already."""
    try:
        return own.samefile(file)
    except OSError:
        return False


def write_crate(
    place: str,
    file: str,
    document: Document,
    dictionary: Dictionary,
    manifest: Mapping[str, Any],
    looking: Looking,
    *,
    overwrite: bool,
) -> None:
    """Write the file, the report of its check and the metadata into a folder, the metadata last."""
    from imgcif_core.render.json import render

    root = crate_folder(place, file, overwrite=overwrite)
    own = root / Path(file).name
    options = CheckOptions(local=looking.local or None, maps=looking.maps, follow=looking.follow, online=looking.online)
    checked = api.check_document(document, options=options, dictionary=dictionary)
    # Where the file lay on this machine is nobody's business.
    report = Report(__version__, api.identities(dictionary), (replace(checked, path=own.name),))
    texts = {own.name: Path(file).read_bytes(), REPORT: render(report).encode()}
    # All is made before anything is written, so that no half of a crate is left.
    graph = json.dumps(metadata(own.name, texts, report, manifest), indent=1, ensure_ascii=True)
    if not _is_same(own, file):
        write_file(own, texts[own.name], overwrite=overwrite)
    write_file(root / REPORT, texts[REPORT], overwrite=overwrite)
    write_file(root / METADATA, f"{graph}\n", overwrite=overwrite)


def metadata(own: str, texts: Mapping[str, bytes], report: Report, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The graph of the crate, flat, as RO-Crate asks for; `texts` are the file `own` and the report."""
    licences = _licences(manifest)
    files = [_entity(link, licences) for link in manifest["links"] if _is_of_web(link)]
    parts = [
        _part(own, texts[own], _media_of(own, report), "Description of raw diffraction data (imgCIF)"),
        _part(REPORT, texts[REPORT], "application/json", "Report of the check") | {"description": _verdict(report)},
    ]
    if report.conforming:
        parts[0]["conformsTo"] = {"@id": "#dictionary"}
    sums = [entity for _, own_sums in files for entity in own_sums]
    root = _root(own, manifest, licences, [entry["@id"] for entry in parts] + [entry["@id"] for entry, _ in files])
    identity = report.dictionaries[0]
    graph = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        root,
        *parts,
        *(entry for entry, _ in files),
        *sums,
        *_unique(licences.values()),
        {"@id": "#dictionary", "@type": "CreativeWork", "name": identity.title, "version": identity.version},
        {"@id": "#imgcif_core", "@type": "SoftwareApplication", "name": "imgcif_core", "version": __version__},
        {
            "@id": "#check",
            "@type": "CreateAction",
            "name": "Check of the description against the imgCIF dictionary and of its links",
            "endTime": manifest["date"],
            "instrument": {"@id": "#imgcif_core"},
            "object": {"@id": parts[0]["@id"]},
            "result": {"@id": parts[1]["@id"]},
        },
    ]
    return {"@context": _CONTEXT, "@graph": graph}


def _root(
    own: str, manifest: Mapping[str, Any], licences: Mapping[str, dict[str, Any]], parts: list[str]
) -> dict[str, Any]:
    """The crate as a whole: what records and DOIs tell of it, and nothing that nobody told."""
    titles = [entry["title"] for entry in (*manifest["records"], *manifest["dois"]) if entry.get("title")]
    count = len(parts) - 2
    files = "1 file" if count == 1 else f"{count} files"
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": titles[0] if titles else f"Raw diffraction data described by {own}",
        "description": f"The imgCIF {own}, the report of its check, and {files} of images in archives.",
        "datePublished": manifest["date"][:10],
        "hasPart": [{"@id": part} for part in parts],
        "mentions": {"@id": "#check"},
    }
    found = _unique(licences.values())
    if len(found) == 1:
        root["license"] = {"@id": found[0]["@id"]}
    dois = [entry["doi"] for entry in manifest["dois"]] or [
        entry["doi"] for entry in manifest["records"] if entry.get("doi")
    ]
    if dois:
        root["identifier"] = f"https://doi.org/{dois[0]}"
    return root


def _part(name: str, data: bytes, media: str, title: str) -> dict[str, Any]:
    """A file of the crate."""
    told = {"@id": quote(name), "@type": "File", "name": title, "encodingFormat": media, "contentSize": str(len(data))}
    return told | {"sha256": hashlib.sha256(data).hexdigest()}


def _media_of(name: str, report: Report) -> str:
    """The media type of the file: text, CBF with its binary parts, or packed."""
    packed = {".gz": "application/gzip", ".bz2": "application/x-bzip2"}.get(Path(name).suffix.casefold())
    is_binary = report.files[0].flavour in ("full-cbf", "minicbf")
    return packed or ("application/octet-stream" if is_binary else "chemical/x-cif")


def _verdict(report: Report) -> str:
    """What the report says, in one line."""
    (entry,) = report.files
    verdict = "no error was found" if entry.conforming else "errors were found"
    return f"Report of imgcif-check {__version__}, profile {entry.profile}: {verdict}"


def _is_of_web(link: Mapping[str, Any]) -> bool:
    """True for absolute addresses: others are places on one machine."""
    return bool(re.match(r"(?:https?|ftp|rsync|s3)://", link["uri"], re.IGNORECASE))


def _entity(
    link: Mapping[str, Any], licences: Mapping[str, dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A file in an archive with size, digests, licence and the date of the look, and its digests that are no terms."""
    told: dict[str, Any] = {"@id": link["uri"], "@type": "File"}
    server, copy = link.get("server", {}), link.get("copy", {})
    is_seen = server.get("verdict") == "confirmed"
    told["name"] = server.get("name") or link["uri"].partition("?")[0].rstrip("/").rpartition("/")[2] or link["uri"]
    media = _MEDIA.get(link.get("archive_format") or link.get("format", ""))
    if media:
        told["encodingFormat"] = media
    # What a copy holds is told of the file only where nothing contradicts it.
    sources = [source for source in (server, copy) if source.get("verdict") == "confirmed"]
    sizes = [source["size"] for source in sources if "size" in source]
    if sizes:
        told["contentSize"] = str(sizes[0])
    digests: dict[str, str] = {}
    for source in sources:
        for digest in source.get("digests", ()):
            algorithm, _, value = digest.partition(":")
            digests.setdefault(algorithm, value)
    if "sha256" in digests:
        told["sha256"] = digests["sha256"]
    others = [
        {"@id": f"#{name}-{value}", "@type": "PropertyValue", "propertyID": name, "value": value}
        for name, value in digests.items()
        if name != "sha256"
    ]
    if others:
        told["identifier"] = [{"@id": entry["@id"]} for entry in others]
    if is_seen:
        told["sdDatePublished"] = server["date"]
    else:
        told["description"] = f"not confirmed at its address: {server.get('because', 'nobody was asked')}"
    licence = licences.get(_host_and_record(link["uri"]))
    if licence is not None:
        told["license"] = {"@id": licence["@id"]}
    return told, others


def _licences(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The licences of records, by host and number of the record."""
    found = {}
    for record in manifest["records"]:
        if record.get("licence"):
            found[f"{record['host']} {record['number']}"] = licence_of(record["licence"])
    return found


def _host_and_record(uri: str) -> str:
    """The key of the record that an address belongs to."""
    from imgcif_core.net.records import place_of

    place = place_of(uri)
    return f"{place.host} {place.number}" if place is not None else ""


def licence_of(text: str) -> dict[str, Any]:
    """A licence as an entity; Creative Commons by their own addresses, others by the name that was given."""
    match = _CREATIVE_COMMONS.fullmatch(text.strip())
    if match is not None:
        path = f"licenses/{match[1].casefold()}" if match[1] else "publicdomain/zero"
        return {"@id": f"https://creativecommons.org/{path}/{match[2]}/", "@type": "CreativeWork", "name": text}
    if re.match(r"https?://\S+\Z", text):
        return {"@id": text, "@type": "CreativeWork", "name": text}
    return {"@id": f"#licence-{quote(text, safe='')}", "@type": "CreativeWork", "name": text}


def _unique(entities: Any) -> list[dict[str, Any]]:
    """Entities, each once."""
    return list({entity["@id"]: entity for entity in entities}.values())
