"""`make score`: what it reads, what it refuses and where, and what it writes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.scoring.report.export import COLUMNS, safe
from infra.errors import InfraError
from infra.local import assets, cdnow
from infra.score import reading
from infra.score.__main__ import main
from tests.scoring import day

UTC = ZoneInfo("UTC")
SHANGHAI = ZoneInfo("Asia/Shanghai")


def read(tmp_path: Path, text: str | bytes, zone: ZoneInfo = UTC) -> list[tuple[str, int, float]]:
    path = tmp_path / "orders.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    rows = reading.purchases(path, zone)
    return [
        (rows.names[member], int(at), float(amount))
        for member, at, amount in zip(rows.member, rows.day, rows.amount, strict=True)
    ]


HEAD = "customer_id,date,amount\n"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "ann,2026-01-02,1234.50\n",
        "﻿" + HEAD + "ann,2026-01-02,1234.50\r\n",
        "date;amount;customer_id\n20260102;1234.5;ann\n\n",
        "amount\tcustomer_id\tnote\tdate\n1234.50\tann\tx\t2026/1/2\n",
        HEAD + 'ann,2026-01-02T09:30:00,"$1,234.50"\n',
        HEAD + "ann,2026/1/2 9:05,1234.5\nann,2026-01-02 09:05:59.999,0\n",
        "会员号,日期,金额\nann,2026年1月2日,¥1234.50元\n",
        "会员号,日期,金额\nann,2026-01-02,1234.5\n".encode("gb18030"),
        (HEAD + "ann,2026-01-02,1234.5\n").encode("utf-16"),
        (HEAD + "ann,2026-01-02,1234.5\n").replace("\n", "\r"),
        "Customer_ID , Date, AMOUNT\nann, 2026-01-02 , 1234.5\n",
    ],
)
def test_files_are_read_as_spreadsheets_save_them(tmp_path: Path, text: str | bytes) -> None:
    found = read(tmp_path, text)
    assert found[0] == ("ann", day("2026-01-02"), 1234.5)
    assert {row[1] for row in found} == {day("2026-01-02")}


@pytest.mark.parametrize("amount", ["-12.5", "(12.50)", "−12.5", "-$12.50", "($12.50)", "-12.50元"])
def test_refunds_are_amounts_below_0_however_they_are_written(tmp_path: Path, amount: str) -> None:
    assert read(tmp_path, HEAD + f"ann,2026-01-02,{amount}\n")[0][2] == -12.5


def test_a_moment_is_on_the_day_that_it_is_in_the_zone(tmp_path: Path) -> None:
    text = HEAD + "ann,2026-03-29T17:00:00Z,1\nann,2026-03-29T17:00:00,1\n"
    assert [row[1] for row in read(tmp_path, text, SHANGHAI)] == [day("2026-03-30"), day("2026-03-29")]
    # On the night on which clocks change, a day is a day.
    berlin = ZoneInfo("Europe/Berlin")
    clocks = HEAD + "ann,2026-03-28T23:30:00Z,1\nann,2026-03-29T21:59:00Z,1\nann,2026-03-29T22:00:00Z,1\n"
    assert [row[1] for row in read(tmp_path, clocks, berlin)] == [day("2026-03-29")] * 2 + [day("2026-03-30")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        (HEAD, "no purchases"),
        ("a,b\n1,2\n", "no column customer_id in its first line; there is a, b"),
        (HEAD + "ann,2026-01-02,1\nann,2026-02-30,1\n", "line 3: “2026-02-30” is no day"),
        (HEAD + "ann,202611,1\n", "line 2: “202611” is no day"),
        (HEAD + "ann,0026-01-02,1\n", "line 2: 0026-01-02 lies before 1970"),
        (HEAD + "ann,02/01/2026,1\n", "line 2: “02/01/2026” is no day"),
        (HEAD + "ann,2026-01-02,12,5\n", ""),
        (HEAD + 'ann,2026-01-02,"12,5"\n', "line 2: “12,5” is no amount. Write a decimal point"),
        (HEAD + "ann,2026-01-02,\n", "line 2: “” is no amount"),
        (HEAD + "ann,2026-01-02,nan\n", "no amount"),
        (HEAD + "ann,2026-01-02,inf\n", "no amount"),
        (HEAD + "ann,2026-01-02,1e300\n", "more than anybody pays"),
        (HEAD + " ,2026-01-02,1\n", "line 2: the customer is missing"),
        (HEAD + "ann,2026-01-02\n", "line 2: 2 columns where the heading has 3"),
        (b"\x00\x01\xff\xfe\xfa" * 9, "neither UTF-8"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str | bytes, told: str) -> None:
    if not told:
        # A decimal comma in a file with commas is a further column, which is not looked at.
        assert read(tmp_path, text)[0][2] == 12.0
        return
    with pytest.raises(InfraError, match=told):
        read(tmp_path, text)


def test_survey_answers_are_held_to_their_scale(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("customer_id,date,kind,answer\nann,2026-01-02,NPS,9\nbob,2026-01-02,csat,4\n")
    found, others = reading.answers(path, ("ann",), UTC)
    assert (found.value.tolist(), others) == ([9], 1)
    for answer in ("11", "-1", "4.5", "good"):
        path.write_text(f"customer_id,date,kind,answer\nann,2026-01-02,nps,{answer}\n")
        with pytest.raises(InfraError, match="line 2: an answer to nps is a whole number from 0 to 10"):
            reading.answers(path, ("ann",), UTC)


@pytest.mark.parametrize("text", ["=1+1", "+44", "-1", "@SUM(A1)", "\t=1", "  =1", "\r=1", "\n=1"])
def test_no_name_is_a_formula_in_the_written_file(text: str) -> None:
    assert safe(text).startswith("'")
    assert safe("ann-1=2") == "ann-1=2"


def scored(tmp_path: Path, text: str, *options: str) -> tuple[dict[str, Any], list[dict[str, str]], str]:
    data, out = tmp_path / "orders.csv", tmp_path / "out"
    data.write_text(text, encoding="utf-8")
    assert main(["--data", str(data), "--out", str(out), *options]) == 0
    with (out / "members.csv").open(encoding="utf-8-sig", newline="") as file:
        members = list(csv.DictReader(file))
    return json.loads((out / "report.json").read_text()), members, (out / "report.html").read_text()


def test_cdnow_as_a_file_gives_the_published_parameters(tmp_path: Path) -> None:
    rows = cdnow.read_rows(assets.purchases())
    text = HEAD + "".join(f"{row.customer},{row.occurred_at.date()},{row.total_minor / 100:.2f}\n" for row in rows)
    report, members, _page = scored(tmp_path, text, "--model", "bg-nbd", "--until", "1997-09-30")
    assert report["model"]["name"] == "bg-nbd"
    assert report["model"]["parameters"] == pytest.approx(
        {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}, abs=1e-4
    )
    assert report["model"]["log_likelihood"] == pytest.approx(-9582.43, abs=0.005)
    assert report["spend"]["parameters"] == pytest.approx({"p": 6.25, "q": 3.74, "gamma": 15.45}, abs=0.01)
    assert len(members) == report["members"] == 2357
    assert [code for code, _values in report["notes"]] == ["later"]
    assert report["prediction"]["auc"] > 0.7


def test_one_purchase_makes_a_report(tmp_path: Path) -> None:
    report, members, page = scored(tmp_path, HEAD + "=cmd(),2026-01-02,10\n")
    assert report["model"]["source"] == "default"
    assert report["model"]["refused"] == ["too_few_members"]
    assert members[0]["customer_id"] == "'=cmd()"
    assert list(members[0]) == list(COLUMNS)
    assert "NaN" not in json.dumps(report)
    assert "nan" not in page


def test_who_bought_nothing_that_was_kept_has_empty_cells_and_no_nan(tmp_path: Path) -> None:
    _report, members, _page = scored(tmp_path, HEAD + "ann,2026-01-02,10\nann,2026-01-05,-10\nbob,2026-01-01,3\n")
    ann, bob = members
    assert (ann["behaviour"], ann["purchases"], ann["churn_91_days"], ann["rfm"]) == ("none", "0", "", "")
    assert (bob["behaviour"], bob["purchases"]) == ("new", "1")


def test_the_order_of_lines_does_not_change_what_is_written(tmp_path: Path) -> None:
    lines = [f"c{n % 7},2026-0{1 + n % 6}-1{n % 9},{n + 1}.5" for n in range(60)]
    first = scored(tmp_path, HEAD + "\n".join(lines) + "\n")
    second = scored(tmp_path, HEAD + "\n".join(reversed(lines)) + "\n")
    assert first == second


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--until", "2020-01-01"], "before the first purchase"),
        (["--until", "yesterday"], "UNTIL: “yesterday” is no day"),
        (["--zone", "Mars/Olympus"], "no time zone"),
        (["--margin", "40"], "share above 0"),
        (["--expiry-months", "0"], "1 to 120"),
        (["--surveys", "missing.csv"], "cannot be read"),
    ],
)
def test_options_that_make_no_sense_are_told(
    tmp_path: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "orders.csv"
    data.write_text(HEAD + "ann,2026-01-02,10\n")
    assert main(["--data", str(data), "--out", str(tmp_path / "out"), *options]) == 1
    assert told in capsys.readouterr().err
