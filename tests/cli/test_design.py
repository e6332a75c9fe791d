"""`nsm frame`, `nsm allocate` and `nsm select` on the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import nsm
from nsm.cli import cli
from nsm.cli.app import FAILED, FINE, USAGE, call

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NSM_LANG", "en")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, tiny_project: Callable[[Path], Path]) -> Path:
    """A project with a frame, an allocation and a sample. Do not change it."""
    folder = tiny_project(tmp_path_factory.mktemp("design"))
    nsm.Project(folder).run(["selection"])
    return folder


@pytest.fixture
def run(drawn: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(*words: str, folder: Path = drawn) -> tuple[int, str, str]:
        code = call(cli, [*words, "-C", str(folder)])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return ran


def copied(drawn: Path, tmp_path: Path) -> Path:
    return shutil.copytree(drawn, tmp_path / "copy")


def changed(folder: Path, old: str, new: str) -> None:
    file = folder / "survey.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_frame_is_shown_by_stratum(run: Run) -> None:
    code, out, _ = run("frame", "--lang", "es")
    assert code == FINE
    assert out.split()[:4] == ["Estrato", "Áreas", "Tamaño", "Previa"]
    assert "703 áreas" in out
    code, out, _ = run("frame", "build", "--json")
    told = json.loads(out)
    assert (code, told["areas"]) == (FINE, 703)
    assert sum(row["areas"] for row in told["table"]) == 703


def test_a_frame_is_checked(run: Run, drawn: Path, tmp_path: Path) -> None:
    code, out, _ = run("frame", "check")
    assert code == FINE
    assert out.startswith("F110 info  district: ")
    code, out, _ = run("frame", "check", "--total", "population=5", "--lang", "es")
    assert code == FAILED
    assert out.startswith("F204 error  population: La columna population suma")
    table = pd.read_parquet(drawn / "frame" / "areas.parquet")
    half = table.groupby("province", as_index=False)["population"].sum()
    half["population"] *= 2
    half.to_csv(tmp_path / "census.csv", index=False)
    code, out, _ = run("frame", "check", "--against", str(tmp_path / "census.csv"), "--json")
    told = json.loads(out)
    assert code == FINE
    assert [f["count"] for f in told["findings"] if f["code"] == "F501"] == [2]
    file = tmp_path / "cases.csv"
    assert run("frame", "check", "--detail", str(file))[0] == FINE
    cases = pd.read_csv(file, dtype=str)
    told = json.loads(run("frame", "check", "--json")[1])["findings"]
    assert len(cases) == sum(row["count"] for row in told) > 5
    code, _, err = run("frame", "check", "--total", "population")
    assert code == USAGE
    assert "such as population=10773983" in err


def test_a_frame_is_merged_split_and_compared(run: Run, drawn: Path, tmp_path: Path) -> None:
    target = tmp_path / "merged"
    code, out, _ = run("frame", "merge", "--minimum", "70", "--maximum", "160", "--to", str(target))
    assert code == FINE
    assert out.startswith("703 areas became ")
    new, log = nsm.Frame.read(target), pd.read_csv(target / "log.csv", dtype=str)
    old = nsm.Frame.read(drawn / "frame")
    assert new.total("households") == old.total("households")
    assert new.table["households"].max() <= 160
    assert set(log["old"]) == set(old.table["area"])
    assert set(log["new"]) == set(new.table["area"])
    share = log["share"].astype(float).groupby(log["old"]).sum()
    assert share.to_numpy() == pytest.approx(1)
    assert new.check().query("severity == 'error'").empty
    detail = tmp_path / "changes.csv"
    code, out, _ = run("frame", "diff", str(target), "--detail", str(detail))
    assert code == FINE
    assert "F602 warning  area: " in out
    assert "added" in pd.read_csv(detail, dtype=str)["change"].to_numpy()
    code, _, err = run("frame", "merge", "--to", str(target))
    assert code == USAGE
    assert "is not empty; nothing was written" in err
    assert (
        "Los dos marcos contienen lo mismo."
        in run("frame", "diff", str(drawn / "frame"), "--lang", "es")[2]
    )


def test_an_impossible_minimum_is_refused(run: Run, tmp_path: Path) -> None:
    code, _, err = run("frame", "merge", "--minimum", "0", "--to", str(tmp_path / "no"))
    assert code == USAGE
    assert "do not make sense" in err
    assert not (tmp_path / "no").exists()


def test_the_frame_is_counted_from_persons(run: Run, drawn: Path, tmp_path: Path) -> None:
    folder = copied(drawn, tmp_path)
    areas = pd.read_parquet(folder / "frame" / "areas.parquet")
    rows = areas.index.repeat(areas["households"] // 20)
    persons = areas.loc[rows, ["area", "zone"]].sample(frac=1, random_state=1)
    persons.assign(age=range(len(persons))).to_parquet(folder / "persons.parquet")
    changed(folder, 'source = "frame"', 'source = "counted"')
    changed(
        folder,
        "[frame.concentration]",
        '[frame.persons]\nsource = "persons.parquet"\ncarry = ["zone"]\n'
        'counts = {households = "", old = "age >= 60"}\n\n[frame.concentration]',
    )
    code, _, err = run("frame", "build", folder=folder)
    assert code != FINE  # the counts hold no prior yet
    assert "703 areas counted into" in err
    assert "has no column" in err
    counted = pd.read_parquet(folder / "counted" / "areas.parquet")
    assert counted["households"].sum() == len(persons)
    assert counted.columns.tolist() == ["area", "zone", "households", "old"]


def test_an_allocation_is_shown_with_its_price(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("allocate", "--compare", "--curve", "--lang", "es")
    assert code == FINE
    assert "CV con orden" in out
    assert "proporcional, mismo costo" in out
    assert "Costo y precisión:" in out
    file = tmp_path / "curve.png"
    code, out, _ = run("allocate", "--compare", "--curve", "--plot", str(file), "--json")
    told = json.loads(out)
    assert code == FINE
    assert sum(row["n"] for row in told["strata"]) == told["areas"]
    assert {"strata", "precision", "comparison", "sizes", "curve", "plot"} <= set(told)
    assert file.read_bytes().startswith(b"\x89PNG")
    assert all(row["cv_ordered"] <= row["cv"] * 1.001 for row in told["precision"])
    code, _, err = run("allocate", "--plot", "curve.doc")
    assert code == USAGE
    assert "A picture is written as .pdf, .png, .svg, not '.doc'" in err


def test_a_target_out_of_reach_is_named(run: Run, drawn: Path, tmp_path: Path) -> None:
    folder = copied(drawn, tmp_path)
    changed(folder, "all = {immigrants = ", "all = {immigrants = 0.0001, other = ")
    code, _, err = run("allocate", folder=folder)
    assert code == USAGE
    assert "'other'" in err
    changed(folder, ", other = ", ", descendants = 0.5} #")
    code, _, err = run("allocate", folder=folder)
    assert code == FAILED
    assert "out of reach" in err
    assert "best to be had" in err


def test_the_age_of_the_prior_is_shown(run: Run, drawn: Path, tmp_path: Path) -> None:
    folder = copied(drawn, tmp_path)
    changed(
        folder,
        "[frame.concentration]",
        "[frame.aging]\nage = 10\npersistence = 0.9\n\n[frame.concentration]",
    )
    code, out, _ = run("allocate", folder=folder)
    assert code == FINE
    assert "What the age of the prior does to CVs:" in out
    told = json.loads(run("allocate", "--json", folder=folder)[1])["aging"]
    assert told[0]["domain"] == "all"
    assert told[0]["cv_trusted"] < told[0]["cv_shrunk"] <= told[0]["cv_expected"]
    areas = pd.read_parquet(folder / "results" / "frame" / "areas.parquet")
    assert areas["prior"].std() < areas["prior_before"].std()


def test_a_draw_is_tried_without_being_written(run: Run, drawn: Path, tmp_path: Path) -> None:
    folder = copied(drawn, tmp_path)
    shutil.rmtree(folder / "results" / "selection")
    code, out, err = run("select", "--dry-run", folder=folder)
    assert code == FINE
    assert "Nothing was written." in err
    assert not (folder / "results" / "selection").exists()
    told = json.loads(run("select", "--json")[1])
    assert f"{told['areas']} areas ({told['certain']} certain)" in out
    assert told["balance"][0]["variable"] == "households"
    assert abs(told["balance"][0]["deviation"]) < 0.05


def test_a_sample_is_proved(run: Run, drawn: Path, tmp_path: Path) -> None:
    code, out, _ = run("select", "--verify", "--lang", "es")
    assert code == FINE
    assert out.startswith("La muestra es la que la semilla 20270115 selecciona")
    folder = copied(drawn, tmp_path)
    file = folder / "results" / "selection" / "sample.parquet"
    table = pd.read_parquet(file)
    table["base_weight"] *= 1 + (table.index == 0)
    table.to_parquet(file)
    code, out, _ = run("select", "--verify", "--json", folder=folder)
    assert code == FAILED
    assert "differ from the draw made now in 'base_weight'" in json.loads(out)["message"]
    code, _, err = run("select", "--verify", "--dry-run")
    assert code == USAGE
    assert "not both" in err


def test_a_stratum_left_out_is_named_beside_every_total(
    run: Run, drawn: Path, tmp_path: Path
) -> None:
    folder = copied(drawn, tmp_path)
    areas = pd.read_parquet(drawn / "results" / "frame" / "areas.parquet")
    name = areas.groupby("stratum")["immigrants"].sum().idxmin()
    changed(folder, "[allocation]", f'[allocation]\ntake_none = ["{name}"]')
    code, out, _ = run("allocate", folder=folder)
    assert code == FINE
    assert "Excluded coverage: nothing is drawn there, totals are of the rest" in out
    told = json.loads(run("allocate", "--json", folder=folder)[1])
    assert [row["stratum"] for row in told["excluded"]] == [name]
    left = areas.loc[areas["stratum"] == name, "immigrants"].sum()
    assert told["excluded"][0]["total_immigrants"] == pytest.approx(left)
    notes = [t.note["es"] for t in nsm.Project(folder).settings.estimation.tables.values()]
    assert all(f"No se tomó muestra en los estratos {name}: " in note for note in notes)
    share = [r["covered"] for r in told["precision"] if r["domain"] == "all"]
    assert share[0] == pytest.approx(1 - left / areas["immigrants"].sum())
    code, out, _ = run("select", folder=folder)
    assert code == FINE
    assert f"Excluded coverage: nothing is drawn in {name}; all totals are of the rest." in out
    assert json.loads(run("select", "--json", folder=folder)[1])["excluded"] == [name]
    assert run("select", "--verify", folder=folder)[0] == FINE
    changed(folder, f'take_none = ["{name}"]', 'take_none = ["bordr-0"]')
    code, _, err = run("allocate", folder=folder)
    assert code == USAGE
    assert "take_none names 'bordr-0', which is no stratum. Known: 'rest-0'" in err


def test_the_size_may_be_areas_or_money(run: Run, drawn: Path, tmp_path: Path) -> None:
    folder = copied(drawn, tmp_path)
    text = (folder / "survey.toml").read_text(encoding="utf-8")
    start = text.index("[allocation.precision]")
    end = text.index("\n[", start + 1)
    targets = text[start:end]
    changed(folder, targets, "")
    changed(folder, 'rule = "bethel"', 'rule = "power"\nn = 40\ny = "immigrants"\npower = 0.3')
    code, out, _ = run("allocate", "--compare", "--curve", "--json", folder=folder)
    told = json.loads(out)
    assert (code, told["areas"], told["rule"]) == (FINE, 40, "power")
    assert "sizes" not in told
    assert "CV, proportional at this cost" in run("allocate", "--compare", folder=folder)[1]
    changed(folder, "n = 40", "budget = 3000000.0")
    told = json.loads(run("allocate", "--json", folder=folder)[1])
    assert 2_920_000 < told["cost"] <= 3_000_000
    changed(folder, "budget = 3000000.0", "budget = 20.0")
    code, _, err = run("allocate", folder=folder)
    assert code == FAILED
    assert "does not pay for the minima" in err


@pytest.mark.parametrize(
    "options",
    [
        'method = "srs"',
        'method = "local-cube"\nspread = ["lon", "lat"]\nbalance = ["households"]',
    ],
)
def test_every_method_is_asked_for_in_the_settings(
    run: Run, drawn: Path, tmp_path: Path, options: str
) -> None:
    folder = copied(drawn, tmp_path)
    changed(folder, 'method = "systematic"\norder = ["zone", "district"]', options)
    code, out, _ = run("select", "--json", folder=folder)
    assert code == FINE
    assert json.loads(out)["method"] == options.split('"')[1]
    assert run("select", "--verify", folder=folder)[0] == FINE


def test_surveys_are_coordinated_by_permanent_numbers(
    run: Run, drawn: Path, tmp_path: Path
) -> None:
    folder = copied(drawn, tmp_path)
    main = nsm.Sample.load(drawn / "results" / "selection").main
    changed(
        folder,
        'method = "systematic"\norder = ["zone", "district"]\nreserve = 0.1',
        'method = "pareto"\npermanent = 7\nstart = 0.0\nseed = 9',
    )
    same: list[nsm.Sample] = []
    apart: list[nsm.Sample] = []
    for kept, seed, start in ((same, 1, 0.0), (same, 2, 0.0), (apart, 3, 0.5)):
        changed(folder, "\nseed = 9", f"\nseed = 9{seed}")
        changed(folder, "start = 0.0", f"start = {start}")
        assert run("select", folder=folder)[0] == FINE
        kept.append(nsm.Sample.load(folder / "results" / "selection"))
    assert run("select", "--verify", folder=folder)[0] == FINE
    assert len(same[0].main) == len(main)
    assert nsm.selection.overlap(*same)["share"][0] == 1
    assert nsm.selection.overlap(same[0], apart[0])["share"][0] < 0.6


def test_classes_of_the_prior_by_a_rule(run: Run, drawn: Path, tmp_path: Path) -> None:
    folder = copied(drawn, tmp_path)
    changed(folder, "cuts = [0.005, 0.03, 0.1, 0.3]", 'rule = "cum-root-f"\nstrata = 3')
    told = json.loads(run("frame", "--json", folder=folder)[1])["table"]
    assert {row["stratum"][-1] for row in told} == {"0", "1", "2"}
    changed(folder, 'rule = "cum-root-f"', 'rule = "optimum"\ncv = 0.05')
    assert run("frame", folder=folder)[0] == FINE
    changed(folder, "strata = 3", "strata = 3\ncuts = [0.1]")
    code, _, err = run("frame", folder=folder)
    assert code == USAGE
    assert "either cuts or a rule" in err


def test_two_stages_come_from_a_table_of_strata(run: Run, drawn: Path, tmp_path: Path) -> None:
    folder = copied(drawn, tmp_path)
    areas = pd.read_parquet(drawn / "results" / "frame" / "areas.parquet")
    strata = areas.groupby("stratum").agg(
        territory=("territory", "first"),
        psus=("area", "size"),
        population=("households", "sum"),
        immigrants=("immigrants", "sum"),
    )
    strata["mean_immigrants"] = strata.pop("immigrants") / strata["population"]
    strata["sd_immigrants"] = 3 * strata["mean_immigrants"] ** 0.5
    strata.assign(icc_immigrants=0.1, psu_cost=26_000.0, cost=300.0).to_csv(folder / "strata.csv")
    text = (folder / "survey.toml").read_text(encoding="utf-8")
    start = text.index("[allocation.precision]")
    changed(folder, text[start : text.index("\n[", start + 1)], "")
    changed(folder, 'rule = "bethel"', 'rule = "two-stage"\nstrata = "strata.csv"')
    changed(
        folder,
        "[selection]",
        "[allocation.precision]\nall = {immigrants = 0.25}\n\n[selection]",
    )
    code, out, _ = run("allocate", "--compare", folder=folder)
    assert code == FINE
    head = "Stratum Areas Areas drawn Take Units Units drawn Probability immigrants Cost"
    assert " ".join(out.split("\n")[0].split()) == head
    told = json.loads(run("allocate", "--json", folder=folder)[1])
    assert told["areas"] == sum(row["n_psu"] for row in told["strata"])
    assert all(row["n"] == round(row["n_psu"] * row["take"]) for row in told["strata"])
    assert told["precision"][0]["cv"] <= 0.25
    assert json.loads(run("select", "--json", folder=folder)[1])["areas"] == told["areas"]
    strata.drop(columns="psus").to_csv(folder / "strata.csv")
    code, _, err = run("allocate", folder=folder)  # a changed table makes the plan stale
    assert code == FAILED
    assert "no column 'psus'" in err
