"""`strowger evaluate models --data DIR`: what the models must show, on public tables that somebody has, met or not.

Wanted are `bank_marketing/train.csv` (label `y`) and `telco_churn/train.csv` (label `churn`) below DIR, as
docs/models.md describes them; what is not there is said to be not measured. No code that learns knows these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import ml.bench as bench
from ml.dataset import Dataset, Wishes, read
from ml.evaluate import Report
from ml.pipeline import prepare
from ml.speed import Speed

PARTS = ("bank", "telco", "drill", "speed", "memory", "files")
P50_MS, P99_MS, ROWS_PER_S = 1.0, 3.0, 20_000
MORE_MB = 30


@dataclass(frozen=True, slots=True)
class Verdict:
    """`met` is None where it was not measured."""

    what: str
    needed: str
    found: str
    met: bool | None

    def __str__(self) -> str:
        word = {True: "met", False: "NOT MET", None: "not measured"}[self.met]
        return f"{word:12}  {self.what}: {self.found} (needed: {self.needed})"


def verdicts(data: Path | None, parts: tuple[str, ...] = PARTS) -> Iterator[Verdict]:
    """One after the other, as they are found: all together take about four minutes."""
    bank = data / "bank_marketing" / "train.csv" if data else None
    telco = data / "telco_churn" / "train.csv" if data else None
    makers: dict[str, Callable[[], Iterator[Verdict]]] = {
        "bank": lambda: _with(bank, _bank, "bank marketing"),
        "telco": lambda: _with(telco, _telco, "telco churn"),
        "drill": lambda: _with(bank, _drill, "drift drill on bank marketing"),
        "speed": lambda: _speed(bank),
        "memory": _memory,
        "files": _files,
    }
    for part in parts:
        yield from makers[part]()


def _with(path: Path | None, judge: Callable[[Path], Iterator[Verdict]], name: str) -> Iterator[Verdict]:
    if path is None or not path.exists():
        yield Verdict(name, "a table", f"there is no {path}" if path else "no --data was given", None)
        return
    yield from judge(path)


def _table(path: Path, label: str) -> Dataset:
    return prepare(read(path, Wishes(label)))


def _bank(path: Path) -> Iterator[Verdict]:
    dataset = _table(path, "y")
    inside = bench.in_period(dataset).ours
    yield _at_least("bank marketing, five folds, AUC", inside, "auc", 0.68)
    yield _at_most("bank marketing, in period, calibration error", inside, "calibration_error", 0.02)
    pair = bench.walking_forward(dataset)
    what = "bank marketing, walking forward"
    yield from _better(what, pair.ours, pair.plain, "logistic regression retrained alike")
    for name, figures in bench.frozen(dataset).items():
        yield from _better(what, pair.ours, figures, f"frozen boosting, {name}")
    yield _at_most(f"{what}, calibration error", pair.ours, "calibration_error", 0.06)


def _telco(path: Path) -> Iterator[Verdict]:
    found = bench.in_period(_table(path, "churn")).ours
    yield _at_least("telco churn, five folds, AUC", found, "auc", 0.845)


def _drill(path: Path) -> Iterator[Verdict]:
    from ml.drill import run

    ended = run(path, Wishes("y"), lambda _: None)
    named = ", ".join(ended.alarms[:5]) or "nothing"
    yield Verdict("drift drill, the alarm", "names what moved", f"names {named}", bool(ended.alarms))
    won = f"{ended.promoted} promoted after {ended.nights} nights" if ended.promoted else "no challenger won"
    yield Verdict("drift drill, the challenger", "wins and is promoted", won, ended.promoted is not None)
    back = f"{ended.rolled_back_to} is champion again" if ended.rolled_back_to else "not rolled back"
    yield Verdict("drift drill, the way back", "rolled back", back, ended.rolled_back_to is not None)


def _speed(bank: Path | None) -> Iterator[Verdict]:
    yield from _fast("simulated leads", bench.speed_on_simulated_leads())
    if bank is not None and bank.exists():
        yield from _fast("bank marketing", bench.speed(_table(bank, "y"), bank))


def _fast(name: str, found: Speed) -> Iterator[Verdict]:
    one = f"p50 {found.p50_ms:.2f} ms, p99 {found.p99_ms:.2f} ms"
    met = found.p50_ms < P50_MS and found.p99_ms < P99_MS
    yield Verdict(f"{name}, one lead with its reasons", f"p50 < {P50_MS:g} ms, p99 < {P99_MS:g} ms", one, met)
    many = f"{found.rows_per_s:,.0f} rows/s"
    yield Verdict(f"{name}, a file", f">= {ROWS_PER_S:,} rows/s", many, found.rows_per_s >= ROWS_PER_S)


def _memory() -> Iterator[Verdict]:
    import tempfile

    from ml.default import ROWS, train_default
    from ml.simulate import leads
    from ml.speed import memory_of

    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.strowger"
        train_default(model)
        found = memory_of(model, [lead.row for lead in leads(ROWS)])
    met = found.large_peak < found.small_peak + MORE_MB
    needed = f"at most {MORE_MB} MB more than for the small one"
    yield Verdict("memory that scoring a file takes", needed, str(found), met)


def _files() -> Iterator[Verdict]:
    """A model file that names a function to call, and one that is a pickle."""
    import tempfile

    from app.errors import ModelRefused
    from ml.artifacts import load

    for name, body in (("a pickle", b"\x80\x04cposix\nsystem\n."), ("naming a function to call", _foreign_zip())):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.strowger"
            path.write_bytes(body)
            try:
                load(path)
            except ModelRefused as error:
                yield Verdict(f"model file, {name}", "refused", str(error), True)
            else:
                yield Verdict(f"model file, {name}", "refused", "loaded", False)


def _foreign_zip() -> bytes:
    """Sealed with its own hashes, as whoever can write the file can do."""
    import hashlib
    import io
    import json
    import os
    import zipfile

    from skops.io import dumps

    members = {"model.skops": dumps({"run": os.system}), "schema.json": b"{}", "card.json": b"{}", "card.md": b""}
    hashes = {name: hashlib.sha256(member).hexdigest() for name, member in members.items()}
    members["manifest.json"] = json.dumps({"format": 1, "version": "lead-0", "sha256": hashes}).encode()
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return outer.getvalue()


def _at_least(what: str, found: Report, metric: str, needed: float) -> Verdict:
    figure = found.metrics[metric]
    return Verdict(what, f">= {needed:g}", str(figure), figure.value >= needed)


def _at_most(what: str, found: Report, metric: str, needed: float) -> Verdict:
    figure = found.metrics[metric]
    return Verdict(what, f"< {needed:g}", str(figure), figure.value < needed)


def _better(what: str, ours: Report, theirs: Report, name: str) -> Iterator[Verdict]:
    auc, other = ours.metrics["auc"].value, theirs.metrics["auc"].value
    yield Verdict(f"{what}, AUC", f"above {name}", f"{auc:.4f} against {other:.4f}", auc > other)
    loss, other = ours.metrics["log_loss"].value, theirs.metrics["log_loss"].value
    yield Verdict(f"{what}, log loss", f"below {name}", f"{loss:.4f} against {other:.4f}", loss < other)
