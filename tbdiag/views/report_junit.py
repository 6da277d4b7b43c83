"""The report as JUnit's XML, which every build server shows: a suite a run, a case a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from tbdiag.model.finding import Finding, Severity
from tbdiag.model.report import Crashed, Fired, Outcome, Passed, Report
from tbdiag.views.exhibit import steps
from tbdiag.views.text import printable


def chunks(report: Report) -> Iterator[str]:
    """The document, one suite at a time.

    An error or a warning that is no consequence of another finding is a failure; a note passes and stands
    in the case's output. A rule that could not tell, was ignored or not selected is skipped,
    with the reason; one that failed itself is an error, as is a path that could not be examined.
    """
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="tbdiag">\n'
    for each in report:
        yield _suite(each.run.id, each.outcomes, each.findings)
    if report.search_outcomes:
        yield _suite("the search as a whole", report.search_outcomes, report.search)
    if report.unread:
        yield _unread(report.unread)
    yield "</testsuites>\n"


def _suite(name: str, outcomes: Mapping[str, Outcome], findings: Sequence[Finding]) -> str:
    suite = Element("testsuite", name=printable(name))
    for code, outcome in sorted(outcomes.items()):
        case = SubElement(suite, "testcase", classname=printable(name), name=printable(code))
        match outcome:
            case Passed():
                pass
            case Fired():
                _fired(case, [each for each in findings if each.code == code])
            case Crashed(error):
                SubElement(case, "error", message=printable(error))
            case _:
                SubElement(case, "skipped", message=printable(outcome.reason))
    return _written(suite)


def _fired(case: Element, findings: Sequence[Finding]) -> None:
    roots = [each for each in findings if each.suppressed_by is None]
    bad = [each for each in roots if each.severity is not Severity.NOTE]
    if bad:
        first = bad[0]
        failure = SubElement(
            case,
            "failure",
            type=f"{first.severity.value}: {printable(first.name)}",
            message=printable(first.message),
        )
        failure.text = "\n".join(map(_told, bad))
    elif not roots and findings:
        root = findings[0].suppressed_by
        SubElement(case, "skipped", message=printable(f"only a consequence of {root}"))
    if quiet := [each for each in findings if each not in bad]:
        SubElement(case, "system-out").text = "\n".join(map(_told, quiet))


def _told(finding: Finding) -> str:
    words = [f"{finding.severity.value} {finding.code} {finding.name}: {finding.message}"]
    for each in finding.evidence:
        note = f": {each.note}" if each.note else ""
        words.append(f"  {each.tag}, {steps(*each.span)}{note}")
    words += [f"  next: {remedy.title}" for remedy in finding.remedies[:1]]
    return "\n".join(map(printable, words))


def _unread(unread: Sequence[tuple[str, str]]) -> str:
    suite = Element("testsuite", name="not examined")
    for path, reason in unread:
        case = SubElement(suite, "testcase", classname="not examined", name=printable(path))
        SubElement(case, "error", message=printable(reason))
    return _written(suite)


def _written(suite: Element) -> str:
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(1 for _ in suite.iter(tag))))
    suite.set("tests", str(len(suite)))
    indent(suite)
    return tostring(suite, encoding="unicode") + "\n"
