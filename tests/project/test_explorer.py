"""The explorer of the small country, beside Python's own allocation."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsm.allocation import allocate
from nsm.errors import ConfigError
from nsm.project import Project
from nsm.project.proposal.exploring import explored, explored_strata
from nsm.project.proposal.material import Material
from nsm.project.proposal.page import Words
from nsm.project.stages.allocation import strata_at
from nsm.simulation.proposal import Explored, read_prices, write_explorer
from nsm.simulation.proposal.explorer import thresholds

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"]
FLAGS += ["--disable-background-networking", "--disable-quic", "--virtual-time-budget=20000"]


class Page:
    """The page of the small country, and what it is made from."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project = project
        prices = read_prices(ROOT / "examples" / "eni-do" / "prices.toml")
        self.material = Material(self.project, prices)
        words = Words(self.material, "es")
        self.given: Explored = explored(words)
        self.strata = explored_strata(self.material)
        names = {y: words.variable(y) for y in self.project.settings.frame.expected}
        self.file = write_explorer(self.strata, names, self.given, folder / "explorer.html", "es")

    def state(self, **moved: float) -> dict[str, Any]:
        """Return what the page computes when it is opened with these settings."""
        if CHROMIUM is None:
            pytest.skip("Chromium is not installed, so the page cannot be opened.")
        where = self.file.resolve().as_uri() + "#" + "&".join(f"{k}={v}" for k, v in moved.items())
        done = subprocess.run(
            [CHROMIUM, *FLAGS, where], capture_output=True, text=True, timeout=120, check=True
        )
        found = re.search(r'<pre id="state"[^>]*>(.*?)</pre>', done.stdout, flags=re.DOTALL)
        assert found, done.stdout[-500:]
        made: dict[str, Any] = json.loads(unescape(found[1]))
        return made


@pytest.fixture(scope="module")
def page(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(finished, tmp_path_factory.mktemp("explorer"))


def test_at_its_start_it_shows_the_plan(page: Page) -> None:
    plan = page.material.plan
    state = page.state()
    assert state["need"]["cost"] == pytest.approx(plan.bound or plan.cost, rel=0.02)
    assert state["cost"] <= plan.cost * 1.0001
    assert state["factor"] <= 1.0005
    assert state["need"]["cost"] <= plan.cost * 1.0001
    goals = plan.precision[plan.precision["target"].notna()]
    same = np.array(state["n"]) == plan.table["n"].to_numpy()
    assert same.mean() > 0.5
    assert state["cv"][:2] == pytest.approx(goals["cv"].to_numpy()[:2], rel=0.05)


def test_moved_it_finds_what_python_finds(page: Page) -> None:
    project, frame = page.project, page.material.frame
    y = [*project.settings.frame.expected]
    fewer = frame.replaced(table=frame.table.assign(**{k: 0.7 * frame.table[k] for k in y}))
    goals = {d: dict(t) for d, t in project.settings.allocation.precision.items()}
    goals["all"]["immigrants"] = 0.15
    at = strata_at(project, fewer, response=0.75)
    plan = allocate(at, precision=goals, minimum=project.settings.allocation.minimum)
    state = page.state(prevalence=0.7, response=0.75, t0=0.15)
    assert state["need"]["cost"] == pytest.approx(plan.cost, rel=0.03)

    money = 1.4 * plan.cost
    bought = allocate(
        at, precision=goals, budget=money, minimum=project.settings.allocation.minimum
    )
    state = page.state(prevalence=0.7, response=0.75, t0=0.15, budget=money + page.given.overhead)
    assert state["cost"] <= money
    got = bought.precision[bought.precision["target"].notna()]
    assert state["factor"] == pytest.approx(float((got["cv"] / got["target"]).max()), rel=0.03)


def test_what_the_targets_need_meets_them(page: Page) -> None:
    need = page.state(prevalence=0.8)["need"]
    assert need["n"] == [round(n) for n in need["n"]]
    # In the browser's arithmetic a budget taken from the page is that budget, give or take a cent.
    state = page.state(prevalence=0.8, budget=need["cost"] + page.given.overhead + 0.01)
    assert state["factor"] <= 1
    assert state["cost"] <= need["cost"] + 0.01


def test_what_no_sample_can_do_is_said(page: Page) -> None:
    state = page.state(response=0.5, t0=0.0001)
    assert state["need"]["lost"] == "Inmigrantes, Todo el país"
    assert 0.0001 < state["need"]["best"] < 0.1


def test_it_holds_variances_that_python_has(page: Page) -> None:
    plan, project = page.material.plan, page.project
    table = strata_at(project)(plan.table["n"].to_numpy(dtype=float))
    share = project.settings.allocation.response
    for h, stratum in enumerate(page.strata):
        row, n = table.iloc[h], float(plan.table["n"].iloc[h])
        world = stratum["worlds"][1]
        own = np.array(world["sure"][0]) + (1 - share) / share * np.array(world["silent"][0])
        wanted = (row["population"] * row["sd_immigrants"]) ** 2 / n - row["credit_immigrants"]
        got = np.interp(-1 / n, -1 / np.array(stratum["n"]), own)
        assert got == pytest.approx(wanted, rel=0.05)


def test_it_needs_no_network_and_says_that_it_is_synthetic(page: Page) -> None:
    text = page.file.read_text(encoding="utf-8")
    assert "://" not in text
    assert "default-src 'none'" in text
    assert "SINTÉTICO" in text
    assert "Explorador del plan" in text
    for value in page.material.hashes.values():
        assert value in text
    assert not any(area in text for area in page.material.sample.table["area"])


def test_thresholds_are_those_of_the_rule() -> None:
    found = thresholds("eclac2023")
    assert found["cv"] == pytest.approx({"not_publishable": 0.30, "caution": 0.20})
    assert found["cases"] == {"not_publishable": 30.0, "caution": 50.0}
    assert thresholds("cv(0.15, 0.25)")["cv"] == pytest.approx(
        {"not_publishable": 0.25, "caution": 0.15}
    )


def test_a_price_list_below_the_fieldwork_is_refused(page: Page, tmp_path: Path) -> None:
    text = (ROOT / "examples" / "eni-do" / "prices.toml").read_text(encoding="utf-8")
    file = tmp_path / "prices.toml"
    file.write_text(re.sub(r"(?m)^price = .*$", "price = 1", text), encoding="utf-8")
    material = Material(page.project, read_prices(file))
    with pytest.raises(ConfigError, match=r"takes .* for fieldwork alone"):
        explored(Words(material, "es"))
