"""The published report as a reader sees it, in a real browser: both themes, phone and desktop."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nba.report import page
from tests.acceptance.house import DAY, ROOT, House
from tests.unit.nba.sample_report import whole

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HEADINGS = [
    "Today's predictions", "Error over the season", "Calibration", "Biggest misses", "By minutes played",
    "Beside the market's line", "Sources", "Gates",
]  # fmt: skip


def lacking(what: str) -> None:
    """Skip, or fail where every part is required."""
    if os.environ.get("SHOTCLOCK_REQUIRE") == "all":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        lacking("no browser on the PATH: install chromium (Debian: apt-get install chromium)")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where it is installed
    except ImportError:
        lacking("no playwright: install it into this environment (pip install playwright)")
        return
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(page(whole()), encoding="utf-8")
    return file


def seen(browser: "Browser", file: Path, *, width: int, theme: str) -> "tuple[Page, list[str]]":
    """Open a page, and note everything it asks of the network or complains about."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]  # light or dark
    shown, said = context.new_page(), []
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("request", lambda request: None if request.url == file.as_uri() else said.append(request.url))
    shown.goto(file.as_uri())
    return shown, said


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_report_fits_the_screen_and_complains_about_nothing(
    browser: "Browser", sample: Path, width: int, theme: str
) -> None:
    shown, said = seen(browser, sample, width=width, theme=theme)
    assert shown.locator("h2").all_text_contents() == HEADINGS
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    beyond = "[...document.querySelectorAll('svg text')].filter(t => { const b = t.getBoundingClientRect();"
    assert shown.evaluate(f"{beyond} return b.left < 0 || b.right > innerWidth }}).map(t => t.textContent)") == []
    assert said == []
    shown.context.close()


def test_the_themes_differ(browser: "Browser", sample: Path) -> None:
    papers = set()
    for theme in ("light", "dark"):
        shown, _ = seen(browser, sample, width=390, theme=theme)
        papers.add(shown.evaluate("getComputedStyle(document.body).backgroundColor"))
        shown.context.close()
    assert len(papers) == 2


def test_names_of_a_plot_do_not_lie_on_one_another(browser: "Browser", sample: Path) -> None:
    shown, _ = seen(browser, sample, width=390, theme="light")
    overlapping = shown.evaluate(
        """[...document.querySelectorAll('svg[role=img]')].flatMap(drawing => {
            const boxes = [...drawing.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
            return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) =>
                p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3)
                .map(([b]) => a + ' / ' + b));
        })"""
    )
    assert overlapping == []
    shown.context.close()


def test_players_can_be_found_and_sorted(browser: "Browser", sample: Path) -> None:
    shown, _ = seen(browser, sample, width=1440, theme="light")
    rows = shown.locator("table.sortable tbody tr:visible")
    everybody = rows.count()
    shown.get_by_role("searchbox", name="Player").fill("evrard")
    assert 0 < rows.count() < everybody
    assert all("Évrard" in name for name in rows.locator("th").all_text_contents())
    shown.get_by_role("searchbox", name="Player").fill("")
    shown.get_by_label("Team").select_option("T03")
    assert rows.count() == 12
    shown.get_by_label("Team").select_option("")
    shown.get_by_role("button", name="rebounds").click()
    values = shown.evaluate("[...document.querySelectorAll('.sortable tbody tr')].map(r => +r.cells[3].dataset.order)")
    assert values == sorted(values, reverse=True)
    assert shown.locator("th[aria-sort=descending]").count() == 1
    shown.context.close()


def test_what_a_run_publishes_is_such_a_report(browser: "Browser", house: House) -> None:
    done = house("run", str(ROOT / "pipelines" / "nba"), DAY)
    assert done.code == 0, done
    published = house.file(".shotclock", "published", "nba", DAY)
    for name in ("report.html", "about.html"):
        shown, said = seen(browser, published / name, width=390, theme="dark")
        assert shown.evaluate("document.documentElement.scrollWidth") <= 390
        assert said == []
        shown.context.close()
    assert "SIMULATED" in (published / "report.html").read_text(encoding="utf-8")
