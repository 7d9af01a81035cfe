"""report.html from plain data."""

import html.parser
import re

import pytest

from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.report import EMBEDDED, Contents, Formula, write_report

VOID = {"meta", "img", "br", "hr", "link", "input"}
HOSTILE = "<script>alert('1')</script>\"><img src=x onerror=alert(2)> {{ 7*7 }} {% raw %}"
METRICS = {
    "status": "finished",
    "verdict": "falling",
    "verdict_text": "The objective still falls.",
    "reason": "8 s of training are over",
    "relative_l2": {"u": 1.234567e-5, "v": None},
    "max_error": {"u": 0.5, "v": 2.0},
    "residual_rms": {"heat": 3.25e-4},
    "conditions_rms": {"ends": 6.5e-6},
    "residual_scale": {"heat": 0.65, "ends": 1.5},
    "residual_ratio": {"heat": 5e-4, "ends": 4.3e-6},
    "largest_residuals": {"heat": [{"x": 0.25, "t": 1.0, "residual": -0.0125, "scale": 0.5}, {"x": 0.5}]},
    "learned": {"alpha": {"value": 0.1234567, "exact": 0.1, "relative_error": 0.2345}},
    "loss": 7.5e-9,
    "steps": 321,
    "train_time_s": 75.0,
    "seed": 7,
    "versions": {"pinnkit": "0.1.0"},
    "not_finite": ["relative_l2.v"],
}


class Page(html.parser.HTMLParser):
    """The tags, attributes and text of a page; every tag that is opened must be closed, in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attributes]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def written(tmp_path, **changes):
    folder = RunFolder(tmp_path).create()
    contents = {"name": "heat", "description": "A rod.", "metrics": METRICS} | changes
    return Page(write_report(folder, Contents(**contents)).read_text(encoding="utf-8"))


def check_loads_nothing(page):
    for tag, name, value in page.attributes:
        if name in ("src", "srcset", "data", "poster") or (name == "href" and tag != "a"):
            assert value.startswith("data:"), (tag, name, value)
        assert not name.startswith("on"), (tag, name)
        if name == "href":
            assert not re.match(r"(?i)\s*[a-z]+:|//", value), value
    assert not {"script", "iframe", "object", "link"} & set(page.tags)


def test_the_page_says_the_verdict_first_and_has_the_numbers(tmp_path):
    page = written(tmp_path, equations=[Formula("u_t = u_xx", "<math><mi>u</mi></math>", ("heat",))])
    check_loads_nothing(page)
    order = ["Falling", "The objective still falls.", "Training ended: 8 s of training are over.", "1.235e-05"]
    order += ["Equations and conditions", "Errors by field", "3.250e-04", "0.1234567", "How to repeat it"]
    places = [page.text.index(one) for one in order]
    assert places == sorted(places)
    assert "7.500e-09" in page.text
    assert "1 min 15 s" in page.text
    assert "Not finite: relative_l2.v." in page.text
    assert "heat 3.250e-04 6.500e-01 5.000e-04" in page.text
    assert "ends 6.500e-06 1.500e+00 4.300e-06" in page.text
    assert "heat -1.250e-02 5.000e-01 x = 0.25, t = 1" in page.text
    assert page.text.count("1.500e+00") == 1  # a condition is none of the equations
    assert "math" in page.tags
    assert ("html", "lang", "en") in page.attributes


@pytest.mark.parametrize(
    ("metrics", "first"),
    [
        ({"status": "diverged", "reason": "the term 'heat' is nan"}, "Training diverged: there is no solution"),
        ({"status": "failed", "reason": "out of memory"}, "The run failed: there is no solution"),
        ({"status": "interrupted", "reason": "interrupted by SIGINT"}, "Interrupted before its end"),
        ({"status": "running"}, "Still running, or killed before its end"),
    ],
)
def test_a_run_without_a_result_says_so_first(tmp_path, metrics, first):
    page = written(tmp_path, metrics=metrics)
    assert page.text.index(first) < page.text.index(metrics.get("reason", "Equations"))
    assert page.text.index(first) < page.text.index("Equations and conditions")


def test_hostile_texts_are_escaped(tmp_path):
    metrics = {**METRICS, "reason": HOSTILE, "relative_l2": {HOSTILE: 1.0}, "versions": {HOSTILE: HOSTILE}}
    metrics |= {"verdict": HOSTILE, "verdict_text": HOSTILE, "device": HOSTILE}
    lists = {key: [Formula(HOSTILE, None, (HOSTILE,))] for key in ("equations", "conditions", "definitions", "exact")}
    page = written(
        tmp_path,
        name=HOSTILE,
        description=HOSTILE,
        metrics=metrics,
        facts=[(HOSTILE, HOSTILE)],
        settings=[(HOSTILE, HOSTILE, HOSTILE)],
        config=HOSTILE,
        commands=[(HOSTILE, HOSTILE)],
        **lists,
    )
    check_loads_nothing(page)
    assert "img" not in page.tags
    assert page.text.count(HOSTILE) >= 15  # as text, to the letter: nothing is lost either
    assert "49" not in page.text.replace(HOSTILE, "")


def test_figures_are_embedded_until_the_page_would_be_large(tmp_path):
    folder = RunFolder(tmp_path).create()
    for name in ("zz", "solution_u", "error_u"):
        (folder.figures / f"{name}.png").write_bytes(b"\x89PNG" + bytes(EMBEDDED // 2 - 100))
    (folder.path / "metrics.json").write_text("{}")
    page = written(tmp_path)
    check_loads_nothing(page)
    assert [value for tag, name, value in page.attributes if name == "alt"] == ["solution u", "error u"]
    links = [value for tag, name, value in page.attributes if name == "href"]
    assert "figures/zz.png" in links
    assert "metrics.json" in links
    assert (tmp_path / "report.html").stat().st_size < 2e6


def test_without_figures_the_objective_is_drawn_from_the_history(tmp_path):
    assert "svg" not in written(tmp_path).tags
    folder = RunFolder(tmp_path)
    for step, objective in ((0, 1.0), (100, 1e-2), (200, None), (300, 1e-4)):
        folder.append_history({"step": step, "time_s": 0.0, "objective": objective, "errors": {}})
    page = written(tmp_path)
    points = next(value for tag, name, value in page.attributes if tag == "polyline" and name == "points")
    heights = [float(point.split(",")[1]) for point in points.split()]
    assert len(set(heights)) == 3
    assert heights[1] - heights[0] == pytest.approx(heights[-1] - heights[1], abs=0.2)  # two decades each
