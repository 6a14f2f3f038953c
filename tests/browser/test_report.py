"""The HTML report as people use it: by eye, by keyboard, by screen reader, on paper, offline."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.audit.rendering import audited, rendered
from tests.audit.test_formats import HOSTILE, hostile
from tests.browser.conftest import Open
from tests.conftest import shared_path
from webhook.audit.report import Report, Row

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def audit() -> tuple[list[Row], Report]:
    """An audit of real manifests, with findings of two levels and workloads of every verdict."""
    files = [
        *shared_path("corpus", "cni", "calico").glob("*.yaml"),
        *shared_path("corpus", "cni", "terway").glob("*.yaml"),
        *shared_path("corpus", "eni-config", "invalid").glob("*.yaml"),
    ]
    rows, report = audited(*map(str, sorted(files)))
    assert {finding.level.value for finding in report.findings} == {"error", "warning"}
    return rows, report


@pytest.fixture(scope="module")
def html(audit: tuple[list[Row], Report]) -> str:
    return rendered("html", *audit)


def shown(page: Page) -> int:
    """How many findings can be seen."""
    return page.locator("article:visible").count()


def test_the_page_is_quiet_and_asks_nothing_of_the_network(open_page: Open, html: str) -> None:
    opened = open_page(html)
    opened.page.locator("summary").last.click()
    opened.page.fill("#search", "calico")

    assert opened.complaints == []
    assert all(url.startswith(("file:", "data:")) for url in opened.requests)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_no_wider_than_the_screen(open_page: Open, html: str, width: int) -> None:
    page = open_page(html, width=width).page

    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_serious(open_page: Open, html: str, width: int, scheme: str) -> None:
    # As high as the page: what is out of view has no colours to look at.
    page = open_page(html, width=width, height=40_000, color_scheme=scheme).page
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")

    found = Axe().run(page, options={"resultTypes": ["violations", "passes"]}).response

    bad = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"]) for v in bad] == []
    looked = {rule["id"]: len(rule["nodes"]) for rule in found["passes"]}
    assert looked["color-contrast"] > 300


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_colours_follow_the_system(open_page: Open, html: str, scheme: str) -> None:
    page = open_page(html, color_scheme=scheme).page

    red = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
    assert (int(red) > 200) is (scheme == "light")


def test_the_filter_shows_what_matches_and_says_how_many(
    open_page: Open, html: str, audit: tuple[list[Row], Report]
) -> None:
    findings = audit[1].findings
    page = open_page(html).page
    status = page.get_by_role("status")
    assert shown(page) == len(findings)

    page.get_by_role("combobox", name="Rule").select_option("ENI004")
    of_rule = sum(finding.rule == "ENI004" for finding in findings)
    expect(status).to_have_text(f"{of_rule} of {len(findings)} findings shown")
    assert shown(page) == of_rule > 0

    page.get_by_role("button", name="Reset").click()
    expect(status).to_have_text(f"{len(findings)} of {len(findings)} findings shown")

    page.get_by_label("errors (").uncheck()
    warnings = sum(finding.level.value == "warning" for finding in findings)
    expect(status).to_have_text(f"{warnings} of {len(findings)} findings shown")

    page.get_by_role("button", name="Reset").click()
    page.get_by_label("Namespace").select_option("calico-system")
    spaced = sum(f.object is not None and f.object.namespace == "calico-system" for f in findings)
    expect(status).to_have_text(f"{spaced} of {len(findings)} findings shown")
    assert shown(page) == spaced > 0


def test_the_search_takes_words_in_any_order_and_case(open_page: Open, html: str) -> None:
    page = open_page(html).page

    page.get_by_label("Search").fill("TYPHA calico-node hg101")
    # Not the inner texts: chromium has none of an article that it has not painted yet.
    places = page.locator("article:visible .place").all_text_contents()
    assert places == [text for text in places if "typha" in text]
    assert shown(page) == 1
    page.get_by_label("Search").fill("no finding says this")
    assert shown(page) == 0
    expect(page.get_by_text("No finding matches the filter.")).to_be_visible()


def test_everything_can_be_done_by_keyboard(open_page: Open, html: str) -> None:
    page = open_page(html).page
    total = shown(page)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the findings")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("eni-config ENI004")
    assert 0 < shown(page) < total
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="Rule")).to_be_focused()
    page.get_by_label("warnings (").focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("warnings (")).not_to_be_checked()
    page.get_by_role("button", name="Reset").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(f"{total} of {total} findings shown")
    summary = page.locator("details.rule summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details.rule').open")


def test_a_rule_in_a_finding_leads_to_its_page(open_page: Open, html: str) -> None:
    page = open_page(html).page

    page.locator("article a", has_text="HG101").first.click()

    expect(page.locator("#HG101 pre").last).to_be_visible()
    expect(page.locator("#HG101 pre").last).to_contain_text("operator: NotIn")


def test_the_matrix_tells_each_workload_and_leads_to_its_findings(
    open_page: Open, html: str, audit: tuple[list[Row], Report]
) -> None:
    page = open_page(html).page
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")

    assert page.locator("tbody tr").count() == len(audit[0])
    row = page.locator("tr", has_text="v3.28.5-calico-typha.yaml").filter(has_text="calico-node")
    cells = [cell.split("\n")[0] for cell in row.locator("td").all_inner_texts()]
    assert cells == ["on-prem", "✓ yes", "✗ must not"]
    row.get_by_role("link", name="1 finding").click()
    assert shown(page) == 1
    expect(page.locator("article:visible b").first).to_have_text(
        "DaemonSet/kube-system/calico-node"
    )


def test_without_scripts_all_is_there_to_read(
    open_page: Open, html: str, audit: tuple[list[Row], Report]
) -> None:
    page = open_page(html, java_script_enabled=False).page

    told = Counter(page.locator("article h3").all_text_contents())
    assert told == Counter(finding.message for finding in audit[1].findings)
    assert page.locator("article:visible").count() == len(audit[1].findings)
    expect(page.locator("form")).to_be_hidden()


def test_paper_shows_everything_and_no_controls(open_page: Open, html: str) -> None:
    page = open_page(html, color_scheme="dark").page
    pages = page.pdf(format="A4")
    page.emulate_media(media="print")

    expect(page.locator("form")).to_be_hidden()
    expect(page.locator("nav")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert pages.startswith(b"%PDF")


@pytest.mark.parametrize("guarded", [True, False], ids=["with policy", "without policy"])
def test_nothing_in_a_manifest_runs_in_the_page(open_page: Open, guarded: bool) -> None:  # noqa: FBT001  # a table
    text = rendered("html", *hostile_audit())
    if not guarded:
        text = text.replace("http-equiv", "data-nothing")
    opened = open_page(text)
    page = opened.page
    page.get_by_label("Namespace").select_option(index=1)
    page.get_by_label("Search").fill("alert(1)")

    assert opened.complaints == []
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, object, embed").count() == 0
    assert (
        page.evaluate(
            "[...document.querySelectorAll('*')].filter(each => [...each.attributes].some(a => a.name.startsWith('on'))).length"
        )
        == 0
    )
    assert page.locator("article").count() == len(HOSTILE)
    messages = page.locator("article h3").all_text_contents()
    assert "</script><script>alert(1)</script>" in messages[1]
    assert "49" not in messages[3]
    assert page.evaluate("document.documentElement.scrollWidth") == 1280


def hostile_audit() -> tuple[list[Row], Report]:
    """Hostile findings, and a workload whose every name is hostile."""
    report = hostile()
    text = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\nspec: {template: {spec: {containers: []}}}\n"
    [row], _ = audited(text=text)
    rows = [
        replace(row, ref=found.object, location=found.location)
        for found in report.findings
        if found.object
    ]
    return rows, report


def large(count: int) -> str:
    """A report with a finding for each of many workloads."""
    text = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\nspec: {template: {spec: {containers: []}}}\n"
    [row], one = audited(text=text)
    rows, report = [], Report(workloads=count)
    for number in range(count):
        ref = replace(row.ref, name=f"calico-node-{number}", namespace=f"team-{number % 40}")
        rows.append(replace(row, ref=ref))
        report.findings.append(replace(one.findings[0], object=ref))
    return rendered("html", rows, report)


MEASURE = """() => {
  const search = document.getElementById("search");
  const times = ["calico-node-77", "team-3", ""].map((words) => {
    const start = performance.now();
    search.value = words;
    search.dispatchEvent(new Event("input", {bubbles: true}));
    document.body.offsetHeight;  // what is shown is laid out
    return performance.now() - start;
  });
  const [load] = performance.getEntriesByType("navigation");
  return {load: load.domContentLoadedEventEnd, filter: Math.max(...times)};
}"""


@pytest.mark.serial
def test_ten_thousand_findings_cost_what_they_are_and_no_more(open_page: Open) -> None:
    """Ten times the findings take about ten times as long; a layout of all of them would not."""

    def best(count: int) -> dict[str, Any]:
        text = large(count)
        runs = [open_page(text).page.evaluate(MEASURE) for _ in range(3)]
        return {key: min(run[key] for run in runs) for key in ("load", "filter")}

    small, big = best(1000), best(10_000)

    assert big["load"] < 30 * small["load"]
    assert big["filter"] < 30 * small["filter"]
    assert big["filter"] < big["load"], "an answer is quicker than a reload"
