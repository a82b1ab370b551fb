"""The page, read back by the standard library's parser."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from reports import ATTACK, HOSTILE, REPORT, at, finding, single

from imgcif_core.findings import Answer, FileReport, Readiness, Ready, Reply, Report, Severity
from imgcif_core.render import render
from imgcif_core.render.excerpt import visible
from imgcif_core.render.html_findings import GLANCE, SHOWN_OF_A_RULE, SHOWN_RULES
from imgcif_core.render.sheet import Arrow, Face, LinkRow, Picture, Ring, ScanRow, Sheet, Sketch

VOID = {"meta", "br"}
SQUARE = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
PICTURE = Picture(b"\x89PNG", (1, 1), (1, 0, 0, 1, 0, 0))


def sheet(text: str = "quartz") -> Sheet:
    """A sheet in which every text is the same."""
    arrows = (Arrow(text, "axis", (0.0, 0.0), (1.0, 0.5)), Arrow(text, "beam", (0.0, 0.0), (0.0, 0.0)))
    return Sheet(
        facts=((text, text),),
        figures=((text, text),),
        sketches=(Sketch(text, text, text, (SQUARE,), arrows),),
        faces=(Face(text, text, True, (SQUARE,), (0.0, 0.5), arrows, (Ring(2.0, SQUARE),), PICTURE, text),),
        notes=(text,),
        passport=f"{text}\n{text}",
        scans=(ScanRow(text, text, text, text, text),),
        scans_in_all=7,
        links=(LinkRow(text, text, text, text, text),),
        links_in_all=9,
        why_profile=text,
        command=text,
    )


class Page(HTMLParser):
    """Texts by element; opening and closing tags have to match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data


def assert_harmless(page: Page) -> None:
    """Nothing runs, nothing is fetched, no text of a file is markup."""
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "form", "base", "a:href", "foreignobject", "use"}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name in ("src", "style", "xlink:href") for name in attributes)
        target = attributes.get("href") or "#"
        assert target.startswith("#") or (tag == "image" and target.startswith("data:image/png;base64,")), target


@pytest.mark.parametrize("text", ["quartz", ATTACK, "x" * 3000, ""])
def test_every_page_is_well_formed_and_fetches_nothing(any_report: Report, text: str) -> None:
    assert_harmless(Page(render(any_report, "html")))
    whole = render(any_report, "html", sheets=[sheet(text)] * len(any_report.files), prose={"AXI002": {text: text}})
    assert_harmless(Page(whole))
    assert "<script" not in whole and "\x00" not in whole and whole.isascii()
    assert "\u202e" not in Page(whole).texts["body"][0]


def test_the_only_style_is_the_one_that_the_policy_names() -> None:
    page = Page(render(REPORT, "html"))
    (style,) = page.texts["style"]
    policy = next(attributes["content"] for tag, attributes in page.tags if attributes.get("http-equiv"))
    digest = b64encode(sha256(style.encode("utf-8")).digest()).decode("ascii")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:"
    assert "url(" not in style and "@import" not in style


def test_the_page_shows_counts_verdicts_findings_and_outcomes() -> None:
    page = Page(render(REPORT, "html"))
    text = page.texts["body"][0]
    for part in (
        "data/a b.cif",
        "Not conforming.",
        "1 error, 1 warning, 1 info; alerts by level: 1 A, 1 B, 1 G",
        "axis phi depends on itself",
        "12:22",
        "point kappa at omega",
        "3 times; also at lines 13, 15",
        "0.1 Å to 10 Å",
        "2 rules clean, 3 with findings, 1 not applicable",
        "1 rule crashed: ValueError: no (CON001)",
        "2 rules not checked: blocked by AXI002 (line 12) (DET001, DET002)",
        "2 rules not checked: network use is off (EXT001, EXT002)",
        "dictionary CIF_IMG 1.8.9 of 2026-05-14 (bundled), SHA-256 dddd",
        "imgcif-check 0.1.0",
        "a" * 64,
    ):
        assert part in text, part
    assert page.texts["mark"] == ["kappa", "979.5"]
    assert page.texts["pre"][0] == "phi   rotation       kappa  1 0 0"


def test_links_of_the_page_lead_to_places_on_it() -> None:
    page = Page(render(REPORT, "html"))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    ids = [f"#{attributes['id']}" for _, attributes in page.tags if "id" in attributes]
    assert len(links) == 4 and set(links) <= set(ids) and len(set(ids)) == len(ids)


def test_headings_go_down_one_step_at_a_time() -> None:
    for report in (REPORT, single(finding())):
        page = Page(render(report, "html", sheets=[sheet()] * len(report.files)))
        levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3", "h4")]
        assert levels.count(1) == 1 and levels[0] == 1
        assert all(later <= level + 1 for level, later in pairwise(levels))
        titles = [attributes for tag, attributes in page.tags if tag == "svg" and "role" in attributes]
        assert titles and all(entry["role"] == "img" and entry["aria-label"] for entry in titles)


def test_a_level_is_a_letter_and_a_word_as_well_as_a_colour() -> None:
    page = Page(render(REPORT, "html"))
    kinds = [attributes["class"] for tag, attributes in page.tags if tag == "article"]
    assert kinds == ["A", "B", "G"]
    headings = page.texts["h4"][:3]
    assert [heading[0] for heading in headings] == ["A", "B", "G"]
    assert [heading.rpartition(", ")[2] for heading in headings] == ["error", "warning", "info"]
    for meaning in ("resolve it, or justify it", "consider it", "check that it is right", "can be left as it is"):
        assert meaning in page.texts["body"][0]


def test_alerts_carry_remedy_reasons_who_and_reply() -> None:
    alert = {"alert": "AXI002_ALERT_2_A", "who": "program", "help": "point kappa at omega"}
    answered = finding(**alert, reply=Reply("cycle", "the axis is real"), location=at(3, 1, block="b1"))
    waiting = finding(**alert, location=at(9, 1, block="b2"))
    entry = FileReport("a.cif", "", "metadata", "core", (answered, waiting), replies=frozenset("A"))
    report = Report("1", (), (entry,))
    page = Page(render(report, "html", prose={"AXI002": {"What": "axes", "Why": "no place"}}))
    text = page.texts["article"][0]
    for part in ("Remedy: point kappa at omega", "the program that wrote the file", "the axis is real", "no place"):
        assert part in text
    assert text.count("Remedy:") == 1
    assert page.texts["label"] == ["Reply to AXI002 in block b2: "]
    assert "_vrf_AXI002_b2\n;\nPROBLEM: axis phi is odd\nRESPONSE: ...\n;" in page.texts["pre"]
    assert "1 without the reply that is asked for" in page.texts["body"][0]


def test_a_reply_form_of_the_page_is_read_back_as_a_reply() -> None:
    import imgcif_core
    from imgcif_core.model.replies import read_replies
    from imgcif_core.tables import Tables

    page = Page(render(single(finding(location=at(1, 1, block="b"))), "html"))
    (form,) = (text for text in page.texts["pre"] if text.startswith("_vrf_"))
    document = imgcif_core.read(f"data_b\n{form.replace('...', 'it is so')}\n".encode(), name="a.cif")
    replies = read_replies(Tables(document.blocks[0], imgcif_core.load_dictionary()))
    assert replies == {("AXI002", "b"): Reply("axis phi is odd", "it is so")}


@pytest.mark.parametrize(
    ("ready", "errors", "kind"),
    [
        ({}, 0, "open"),
        (dict.fromkeys(("read", "interpret", "fetch", "describe"), Answer.YES), 0, "yes"),
        (dict.fromkeys(("read", "interpret", "fetch"), Answer.YES) | {"describe": Answer.NO}, 0, "open"),
        (dict.fromkeys(("read", "interpret", "describe"), Answer.YES) | {"fetch": Answer.NO}, 0, ""),
        (dict.fromkeys(("read", "interpret", "fetch", "describe"), Answer.YES), 1, ""),
    ],
)
def test_a_green_verdict_is_earned(ready: dict[str, Answer], errors: int, kind: str) -> None:
    readiness = Readiness(**{name: Ready(answer) for name, answer in ready.items()})
    entry = FileReport("a.cif", "", "metadata", "core", (finding(),) * errors, readiness=readiness)
    page = Page(render(Report("1", (), (entry,)), "html"))
    (shown,) = (
        attributes["class"] for _, attributes in page.tags if (attributes.get("class") or "").startswith("verdict")
    )
    assert (shown or "").split()[1:] == kind.split()


def test_a_page_stays_small_for_any_number_of_findings() -> None:
    many = [finding(f"{family}{number:03}", message=ATTACK) for family in ("AXI", "DET") for number in range(100)]
    many += [finding("SCN001", message=f"frame {number}") for number in range(5000)]
    text = render(single(*many), "html")
    page = Page(text)
    assert page.texts["body"][0].count("frame ") <= SHOWN_OF_A_RULE + 2
    assert len([tag for tag, _ in page.tags if tag == "article"]) == SHOWN_RULES
    assert f"{201 - SHOWN_RULES} more rules with findings not shown" in page.texts["body"][0]
    assert f"{201 - GLANCE} more rules with alerts" in page.texts["body"][0]
    assert len(text) < 600_000


def test_infos_are_folded_unless_asked_for() -> None:
    report = single(finding(severity=Severity.INFO), finding("DET001", Severity.INFO, help="Nothing is needed here"))
    folded = [attributes for tag, attributes in Page(render(report, "html")).tags if tag == "details"]
    shown = [attributes for tag, attributes in Page(render(report, "html", verbose=True)).tags if tag == "details"]
    assert ["open" in attributes for attributes in folded] == [False, False]
    assert ["open" in attributes for attributes in shown] == [True, False]


def test_text_of_a_file_stays_text() -> None:
    text = render(HOSTILE, "html")
    assert "<script" not in text
    page = Page(text)
    assert page.texts["h1"] == [f"imgCIF check: {visible(ATTACK)}.cif"]


def test_a_long_source_line_is_cut_round_the_span() -> None:
    page = Page(render(single(finding(location=at(1, 2000, 5), source_line="<" * 1999 + "kappa" + ">" * 2000)), "html"))
    assert page.texts["mark"] == ["kappa"] and len(page.texts["pre"][0]) == 100


def test_a_clean_file_and_an_empty_report_have_a_page_too() -> None:
    assert "No files checked." in render(Report("0.1.0", (), ()), "html")
    page = Page(render(single(), "html", sheets=[sheet()]))
    text = page.texts["body"][0]
    assert "No rule has anything to say." in text and page.texts["title"] == ["no alerts - a.cif"]
    assert "6 more lines of scans not shown" in text and "8 more places not shown" in text


def test_the_title_tells_the_worst_alerts() -> None:
    report = single(finding(), finding(), finding(severity=Severity.WARNING), path="in/quartz.cif")
    assert Page(render(report, "html")).texts["title"] == ["2 alerts A - quartz.cif"]
    assert Page(render(REPORT, "html")).texts["title"] == ["imgCIF check of 2 files"]


def test_numbers_of_polygons_are_those_of_the_data() -> None:
    panel = ((-166.8, 172.497), (144.3, 172.497), (144.3, -154.653), (-166.8, -154.653))
    drawn = Sheet(sketches=(Sketch("Along the beam", "X", "Y", (panel,), ()),))
    text = render(single(), "html", sheets=[drawn])
    (points,) = re.findall(r'<polygon class="panel" points="([^"]*)"', text)
    assert [tuple(map(float, pair.split(","))) for pair in points.split()] == list(panel)
