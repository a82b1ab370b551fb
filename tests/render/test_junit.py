"""JUnit XML, read back by the standard library's parser."""

from xml.etree import ElementTree

from reports import ATTACK, CYCLE, HOSTILE, LENGTH, REPORT, finding, single

from imgcif_core.findings import Outcomes, Report, Severity, Unchecked
from imgcif_core.render import render


def parsed(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring(render(report, "junit"))


def cases(report: Report) -> dict[str, ElementTree.Element]:
    return {case.get("name", ""): case for case in parsed(report).find("testsuite").iter("testcase")}


def test_every_rule_is_one_case_and_ends_in_one_way() -> None:
    endings = {code: [child.tag for child in case] for code, case in cases(REPORT).items()}
    assert endings == {
        "AXI002": ["failure"],
        "BIN001": ["skipped"],
        "CON001": ["error"],
        "DET001": ["skipped"],
        "DET002": ["skipped"],
        "EXT001": ["skipped"],
        "EXT002": ["skipped"],
        "MTA001": ["system-out"],
        "SRC001": ["failure"],
        "SYN001": [],
        "SYN002": [],
    }


def test_reasons_stand_beside_what_was_skipped() -> None:
    found = cases(REPORT)
    reasons = {code: found[code].find("skipped").get("message") for code in ("BIN001", "DET001", "EXT001")}
    assert reasons == {
        "BIN001": "not applicable",
        "DET001": "blocked by AXI002 (line 12)",
        "EXT001": "network use is off",
    }
    assert found["CON001"].find("error").get("message") == "ValueError: no"


def test_failures_tell_place_severity_and_remedy() -> None:
    failure = cases(REPORT)["AXI002"].find("failure")
    assert failure.get("type") == "error" and failure.get("message") == CYCLE.message
    head, help_line = failure.text.splitlines()
    assert head.startswith("error axis-dependency-cycle at 12:22: axis phi depends")
    assert head.endswith("(3 times; also at lines 13, 15)") and help_line == "  help: point kappa at omega"
    assert cases(REPORT)["SRC001"].find("failure").get("type") == "warning"


def test_infos_beside_a_failure_are_output() -> None:
    mild = finding("SRC001", Severity.INFO, "wavelength has no su")
    case = cases(single(mild, LENGTH))["SRC001"]
    assert [child.tag for child in case] == ["failure", "system-out"]
    assert "no su" in case.find("system-out").text and "no su" not in case.find("failure").text


def test_a_crashed_rule_is_an_error_and_not_a_failure_too() -> None:
    outcomes = Outcomes(crashed=(Unchecked("AXI002", "KeyError: x"),))
    report = single(CYCLE, outcomes=outcomes)
    assert [child.tag for child in cases(report)["AXI002"]] == ["error"]
    assert parsed(report).find("testsuite").get("failures") == "0"


def test_numbers_are_those_of_the_elements(any_report: Report) -> None:
    root = parsed(any_report)
    for element in (root, *root.iter("testsuite")):
        counted = {
            "tests": len(list(element.iter("testcase"))),
            "failures": len(list(element.iter("failure"))),
            "errors": len(list(element.iter("error"))),
            "skipped": len(list(element.iter("skipped"))),
        }
        assert {name: int(element.get(name, "-1")) for name in counted} == counted


def test_each_file_is_a_suite_with_its_facts() -> None:
    suites = parsed(REPORT).findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["data/a b.cif", "c.cbf"]
    facts = {entry.get("name"): entry.get("value") for entry in suites[0].iter("property")}
    assert facts["profile"] == "core" and "CIF_IMG 1.8.9" in facts["dictionary"]
    assert suites[0].find("testcase").get("classname") == "data/a b.cif"


def test_an_empty_report_is_well_formed() -> None:
    root = parsed(Report("0.1.0", (), ()))
    assert root.tag == "testsuites" and len(root) == 0 and root.get("tests") == "0"


def test_what_xml_cannot_hold_is_marked_and_the_rest_comes_back() -> None:
    expected = "".join("\ufffd" if one in "\x1b\x07\x9b\x00\ud800\ufffe\x7f" else one for one in ATTACK)
    (suite,) = parsed(HOSTILE)
    assert suite.get("name") == f"{expected}.cif"
    failure = suite.find("testcase[@name='AXI002']/failure")
    assert failure.get("message") == expected and expected in failure.text
