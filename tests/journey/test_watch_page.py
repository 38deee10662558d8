"""The page of `fsync watch`, as it is written, and as a real browser shows it (Chromium, without a window)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fsync.compile import plan_project
from fsync.errors import InputError
from fsync.instant import to_milliseconds
from fsync.plan import Plan
from fsync.spec.project import open_project
from fsync.watch.budget import Budget
from fsync.watch.check import Check, Round, Side, Signal, Verdict
from fsync.watch.distribution import Distribution
from fsync.watch.pages import page_html
from fsync.watch.past import Point
from tests.conftest import copy_reference

AT = to_milliseconds("1998-06-30T00:01:00")
HOUR = 3_600_000
HOSTILE = "</script><img src=x onerror=alert(1)><!-- & \"quotes'"
PROJECT = f"shop {HOSTILE}"
#: a feature that alerts in two ways, and one that is late with it
ALERTING, LATE = "user_30d_avg_spend", "user_7d_spend"
#: features that could not be judged, that nothing was seen of, and that has texts for values
UNKNOWN, UNSEEN = "user_90d_avg_order_value", "user_lifetime_spend"
CATEGORIES = "user_last_order_quantity"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The reference project, which needs no tables here; one feature is described by somebody hostile."""
    plan = plan_project(open_project(copy_reference(tmp_path_factory.mktemp("project"))))
    views = []
    for view in plan.views:
        features = tuple(
            replace(one, feature=replace(one.feature, description=HOSTILE)) if one.name == ALERTING else one
            for one in view.features
        )
        views.append(replace(view, features=features))
    return replace(plan, views=tuple(views))


@pytest.fixture(scope="module")
def html(plan: Plan) -> str:
    return page_html(PROJECT, plan, _round(plan), _points(), _budgets(), _distributions())


@pytest.fixture(scope="module")
def page(html: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("a path with spaces") / "the page.html"
    file.write_text(html, encoding="utf-8")
    return file


def _round(plan: Plan) -> Round:
    lately = "its newest event is 5 h old"
    drift = {"value": 0.177, "threshold": 0.05, "p": 1e-20, "q": 1e-19, "baseline": "28d"}
    checks = (
        _check(ALERTING, "freshness", "offline", Verdict.ALERT, lately, value=18_000.0, threshold=3_600.0),
        _check(ALERTING, "freshness", "online", Verdict.OK, "what the store knows is 30 s old", value=30.0),
        _check(ALERTING, "null_ratio", "offline", Verdict.OK, "0.5% of 1,506 have none", value=0.005, threshold=0.05),
        _check(ALERTING, "drift", "offline", Verdict.ALERT, f"'{HOSTILE}' went from 0.0% to 17.7%", **drift),
        _check(UNKNOWN, "null_ratio", "offline", Verdict.UNKNOWN, "no other feature of the view tells"),
        _check(UNKNOWN, "drift", "offline", Verdict.UNKNOWN, "no entity had a value 28d before"),
        _check(LATE, "freshness", "offline", Verdict.ALERT, lately, value=18_000.0, threshold=3_600.0),
        _check(CATEGORIES, "availability", "online", Verdict.OK, "100.0% of 994 probes got a value", value=1.0),
    )
    views = {one.name: view.name for view in plan.views for one in view.features}
    return Round(AT, AT + 1, tuple(replace(one, view=views[one.feature]) for one in checks), (f"no table {HOSTILE}",))


def _check(feature: str, signal: Signal, side: Side, verdict: Verdict, sentence: str, **more: Any) -> Check:
    return Check(feature, "", "growth-ml", signal, side, verdict, sentence, **more)


def _points() -> list[Point]:
    points = []
    for hour in range(100, 0, -1):
        is_late = hour < 6
        late = "alert" if is_late else "ok"
        seen: list[tuple[Signal, Side, str, float | None]] = [
            ("freshness", "offline", late, (6 - hour) * 3_600.0 if is_late else 900.0 + hour),
            ("freshness", "online", "ok", 30.0),
            ("null_ratio", "offline", "ok", None if hour == 50 else 0.01 + 0.0001 * hour),
        ]
        points += [
            Point(AT - hour * HOUR, ALERTING, signal, side, verdict, value) for signal, side, verdict, value in seen
        ]
    return points


def _budgets() -> list[Budget]:
    view, owner = "user_id__orders_stream", "growth-ml"
    return [
        Budget(ALERTING, view, owner, "freshness", kept=0.985, objective=0.995, left=-2.0, checks=100),
        Budget(ALERTING, view, owner, "availability", kept=0.99996, objective=0.995, left=0.992, checks=100),
        Budget(UNKNOWN, view, owner, "freshness", kept=1.0, objective=None, left=None, checks=100),
    ]


def _distributions() -> dict[str, Distribution]:
    bins = tuple(float(5 * number) for number in range(40))
    even, uneven = (0.025,) * 40, (0.9, *(0.1 / 39,) * 39)
    return {
        ALERTING: Distribution("number", bins, now=uneven, before=even, online=uneven, is_binned=True),
        CATEGORIES: Distribution(
            "category", (HOSTILE, "<b>bold</b>", "plain"), (0.5, 0.25, 0.25), (0.4, 0.3, 0.3), None
        ),
        LATE: Distribution("age", (0.0, 86_400.0, 864_000.0), (0.1, 0.2, 0.7), (0.3, 0.3, 0.4), None),
    }


# ---------------------------------------------------------------- as it is written


@dataclass
class Tags(HTMLParser):
    """Every element and its attributes; the texts outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def _without_scripts(html: str) -> str:
    return re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)


def _data(html: str) -> str:
    """The JSON in the page, as far as a browser would read it."""
    return html.partition('id="data">')[2].partition("</script>")[0]


def _articles(html: str) -> dict[str, str]:
    """The HTML of each feature's page."""
    parts = _without_scripts(html).split('<article class="feature" id="feature/')[1:]
    return {part.partition('"')[0]: part.partition("</article>")[0] for part in parts}


def test_it_loads_nothing_from_elsewhere(html: str) -> None:
    loading = {"src", "srcset", "href", "action", "data", "poster", "background", "formaction", "xlink:href", "ping"}
    targets = {value for _, attributes in Tags(html).tags for name, value in attributes.items() if name in loading}
    assert {target for target in targets if not (target or "").startswith("#")} == {"data:,"}
    rest = _without_scripts(html)
    assert re.search(r"https?://|url\(|@import", rest) is None
    assert rest.index("Content-Security-Policy") < html.index("<script")
    assert "default-src 'none'" in rest
    assert "unsafe-eval" not in rest


def test_hostile_texts_are_texts(html: str) -> None:
    tags = [tag for tag, _ in Tags(html).tags]
    assert tags.count("script") == 3
    assert not {"img", "svg", "iframe", "b"} & set(tags)
    assert Tags(html).text.count("<img src=x onerror=alert(1)>") > 4
    shown = json.loads(_data(html))["figures"][CATEGORIES]["drift"]["labels"]
    # Plotly makes tags of some texts, but for those that are escaped
    assert shown[1:] == ["&lt;b&gt;bold&lt;/b&gt;", "plain"]


def test_hostile_names_end_no_script(plan: Plan) -> None:
    view = plan.views[0]
    named = replace(plan, views=(replace(view, features=(replace(view.features[0], name=HOSTILE),)),))
    html = page_html("shop", named, Round(AT, AT, ()), (), (), {})
    assert [tag for tag, _ in Tags(html).tags].count("script") == 3
    assert list(json.loads(_data(html))["figures"]) == [HOSTILE]


def test_it_reads_without_javascript(html: str, plan: Plan) -> None:
    names = [one.name for view in plan.views for one in view.features]
    overview = Tags(_without_scripts(html).partition("<article")[0])
    assert "Looked at as of 1998-06-30T00:01:00Z" in overview.text
    assert f"{len(names)} features 8 checks 3 alerts" in overview.text
    # what a view's features have in common is said once
    assert overview.text.count("its newest event is 5 h old") == 1
    assert f"freshness offline {ALERTING} {LATE} its newest event is 5 h old" in overview.text
    links = [attributes["href"] for tag, attributes in overview.tags if tag == "a"]
    assert [link for link in links if link in {f"#feature/{name}" for name in names}] == links
    assert {link.removeprefix("#feature/") for link in links if link is not None} == set(names)
    assert f"{ALERTING} user_id__orders_stream growth-ml alert ok alert – -200% (spent)" in overview.text
    assert f"{UNKNOWN} user_id__orders_stream growth-ml – unknown unknown – –" in overview.text
    assert f"{UNSEEN} user_lifetime crm – – – – –" in overview.text
    assert list(_articles(html)) == names


def test_a_feature_has_a_page_of_words(html: str) -> None:
    told = {name: Tags(article).text for name, article in _articles(html).items()}
    assert "definition user_30d_spend / nullif(user_30d_purchase_count, 0)" in told[ALERTING]
    assert "SLA at most 1h old, available 99.5% of the time" in told[ALERTING]
    assert "definition window_avg(amount, 90d) where amount > 0" in told[UNKNOWN]
    assert "Drift: offline alert, effect 17.7%, p < 1e-15" in told[ALERTING]
    # the check of this round is a point as well
    assert "Alerts: 6 of 101 points offline, 0 of 101 points online." in told[ALERTING]
    # what is missed is never rounded away
    assert "freshness 98.50% 99.5% -200% (spent) 100" in told[ALERTING]
    assert "availability 99.99% 99.5% 99% 100" in told[ALERTING]
    assert "freshness 100% none no budget 100" in told[UNKNOWN]


def test_charts_without_data_say_why(html: str) -> None:
    articles = _articles(html)
    told = {name: Tags(article).text for name, article in articles.items()}
    assert "Its freshness has not been seen yet." in told[UNKNOWN]
    assert "Its NULLs could not be counted, as its check says." in told[UNKNOWN]
    assert "Its values could not be compared: no entity had a value 28d before." in told[UNKNOWN]
    assert "It is never NULL" in told["user_30d_purchase_count"]
    assert "Its values have not been compared yet." in told[UNSEEN]
    assert "There is no history of a promise." in told[UNSEEN]
    charts = {name: re.findall('data-chart="(.*?)"', article) for name, article in articles.items()}
    assert charts[ALERTING] == ["freshness", "null_ratio", "drift"]
    assert charts[LATE] == ["freshness", "drift"]
    assert charts[UNKNOWN] == charts[UNSEEN] == []


def test_figures_are_in_units_that_fit(html: str) -> None:
    data = json.loads(_data(html))
    figures = data["figures"][ALERTING]
    offline, online, alerts = figures["freshness"]["data"]
    assert (offline["name"], online["name"], alerts["name"]) == ("offline", "online", "alert")
    assert figures["freshness"]["layout"]["yaxis"]["ticksuffix"] == " h"
    assert alerts["y"] == [1.0, 2.0, 3.0, 4.0, 5.0, 5.0]
    # an SLA of an hour, and the two minutes that clocks may differ by
    assert figures["freshness"]["layout"]["shapes"][0]["y0"] == pytest.approx(62 / 60)
    assert figures["null_ratio"]["layout"]["shapes"][0]["y0"] == 0.05
    assert figures["null_ratio"]["data"][0]["y"][50] is None
    # lines of the same rounds have their instants in common
    assert {offline["x"], online["x"], figures["null_ratio"]["data"][0]["x"]} == {0}
    assert data["axes"][0][-1] == AT
    drift = figures["drift"]
    assert [trace["name"] for trace in drift["data"]] == ["baseline (28d)", "now", "now, online"]
    assert drift["labels"][:2] + drift["labels"][-1:] == ["up to 5", "5 to 10", "from 195"]
    assert drift["layout"]["annotations"][0]["text"] == "cut: 2.50%, 90.00%, 90.00%"
    assert data["figures"][LATE]["drift"]["labels"] == ["0 d", "1 d", "10 d"]


def test_nothing_was_watched_yet(plan: Plan) -> None:
    text = Tags(page_html("shop", plan, Round(AT, AT, ()), (), (), {})).text
    assert "No check alerts." in text
    assert "Its values have not been compared yet." in text


def test_it_needs_plotly(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(InputError, match="the page needs plotly") as raised:
        page_html("shop", plan, Round(AT, AT, ()), (), (), {})
    assert raised.value.mend == "pip install 'fsync[watch]'"


# ---------------------------------------------------------------- as a browser shows it


@dataclass(frozen=True)
class Shown:
    """The document as it stands in the end, and what the browser told of it."""

    dom: str
    log: str

    @property
    def console(self) -> list[str]:
        return [line for line in self.log.splitlines() if "CONSOLE" in line]


Browse = Callable[..., Shown]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1200,1600",
    "--virtual-time-budget=8000",
    "--enable-logging=stderr",
    "--v=0",
)


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Opens a file in Chromium: by default for the document that comes of it."""
    installed = [path for name in _NAMES if (path := shutil.which(name)) is not None]
    if not installed:
        told = "there is no Chromium to look at the page with: apt-get install chromium"
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)

    def call(page: Path, fragment: str = "", what: Sequence[str] = ("--dump-dom",)) -> Shown:
        arguments = [installed[0], *_FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *what, page.as_uri() + fragment]
        ended = subprocess.run(arguments, capture_output=True, text=True, encoding="utf-8", timeout=90, check=False)
        assert ended.returncode == 0, ended.stderr
        return Shown(ended.stdout, ended.stderr)

    return call


def test_a_browser_draws_the_charts_of_the_page_that_is_opened(page: Path, browse: Browse) -> None:
    shown = browse(page, f"#feature/{ALERTING}")
    assert shown.console == []
    drawn = {name: article.count("main-svg") for name, article in _articles(shown.dom).items()}
    # Plotly draws some for each chart
    assert drawn.pop(ALERTING) >= 3
    assert set(drawn.values()) == {0}
    article = _articles(shown.dom)[ALERTING]
    assert [name for name in ("freshness", "null_ratio", "drift") if f'data-chart="{name}"' in article] == [
        "freshness",
        "null_ratio",
        "drift",
    ]
    assert article.count("js-plotly-plot") == 3
    assert "allowed: 1h + 2 min" in article
    assert "at most 5%" in article
    assert "plotly.com" not in article  # no link to whose library it is
    assert f"<title>{ALERTING}, Features of shop" in shown.dom


#: what is seen of the page step by step, by a script in it
_PROBE = """
<script>
window.seen = [];
addEventListener("securitypolicyviolation", function (event) { seen.push(event.violatedDirective); });
addEventListener("error", function (event) { seen.push(String(event.message)); });
addEventListener("load", async function () {
  const wait = function () { return new Promise(function (resolve) { setTimeout(resolve, 300); }); };
  const visible = function (query) {
    return Array.from(document.querySelectorAll(query)).filter(function (one) { return one.checkVisibility(); });
  };
  const look = function () {
    return {
      pages: visible("main, article").map(function (one) { return one.id; }),
      rows: visible("#features tbody tr").map(function (one) { return one.cells[0].textContent; }),
      charts: visible(".js-plotly-plot .main-svg").length,
      wide: visible(".js-plotly-plot").every(function (one) {
        return Math.abs(one.querySelector(".main-svg").getBoundingClientRect().width - one.clientWidth) < 2;
      }),
      elements: document.querySelectorAll("img, b, iframe").length,
      title: document.title,
    };
  };
  const steps = {};
  await wait();
  steps.first = look();
  const filter = document.getElementById("filter");
  filter.value = "  CRM  lifetime_s ";
  filter.dispatchEvent(new Event("input"));
  steps.filtered = look();
  steps.count = document.getElementById("found").textContent;
  visible("#features a")[0].click();
  await wait();
  steps.clicked = look();
  location.hash = "#feature/CATEGORIES";
  await wait();
  steps.other = look();
  steps.labels = Array.from(visible(".xtick text"), function (one) { return one.textContent; });
  history.back();
  await wait();
  steps.back = look();
  location.hash = "#feature/%E0%A4%A";
  await wait();
  steps.unknown = look();
  steps.requests = performance.getEntriesByType("resource").map(function (one) { return one.name; });
  steps.seen = seen.slice();
  steps.refused = await fetch("https://example.com/").then(function () { return false; }, function () { return true; });
  await wait();
  steps.after = seen.slice();
  const told = document.createElement("pre");
  told.id = "told";
  told.textContent = JSON.stringify(steps);
  document.body.append(told);
});
</script>
""".replace("CATEGORIES", CATEGORIES)


def test_a_browser_shows_one_page_at_a_time(html: str, page: Path, browse: Browse, plan: Plan) -> None:
    probed = page.with_name("probed.html")
    probed.write_text(html.replace('<meta name="viewport"', f'{_PROBE}<meta name="viewport"', 1), encoding="utf-8")
    shown = browse(probed)
    found = re.search(r'<pre id="told">(.*?)</pre>', shown.dom, re.DOTALL)
    assert found is not None, shown.log
    # of JSON in HTML, these alone are written otherwise
    steps = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&"))
    names = [one.name for view in plan.views for one in view.features]

    assert steps["first"]["pages"] == ["overview"]
    assert steps["first"]["rows"] == names
    assert (steps["first"]["charts"], steps["first"]["elements"]) == (0, 0)
    assert steps["filtered"]["rows"] == [UNSEEN]
    assert steps["count"] == f"1 of {len(names)}"
    assert steps["clicked"]["pages"] == [f"feature/{UNSEEN}"]
    assert steps["clicked"]["title"].startswith(UNSEEN)
    assert steps["other"]["pages"] == [f"feature/{CATEGORIES}"]
    assert steps["other"]["charts"] > 0
    assert steps["other"]["wide"]
    assert steps["other"]["elements"] == 0
    assert [label[:12] for label in steps["labels"]] == [HOSTILE[:12], "<b>bold</b>", "plain"]
    assert steps["back"]["pages"] == [f"feature/{UNSEEN}"]
    assert steps["unknown"]["pages"] == ["overview"]

    # it asked for nothing, and may not
    assert steps["requests"] == steps["seen"] == []
    assert steps["refused"] is True
    assert steps["after"] == ["connect-src"]
    assert all("example.com" in line for line in shown.console)
    assert shown.console


def test_a_browser_paints_it(page: Path, browse: Browse, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    shown = browse(page, f"#feature/{ALERTING}", [f"--screenshot={picture}"])
    assert shown.console == []
    assert len(_colours(picture.read_bytes())) > 20


def _colours(png: bytes) -> set[bytes]:
    """Differences between neighbouring bytes of a PNG's pixels: next to none where it is of a single colour."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    packed, at = b"", 8
    while at < len(png):
        length, kind = int.from_bytes(png[at : at + 4]), png[at + 4 : at + 8]
        packed += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    return {bytes([byte]) for byte in zlib.decompress(packed)}
