"""Annealing-schedule spreadsheets: what is read, and every refusal."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import replace

import numpy as np
import openpyxl
import pytest

from spinbattery import from_spreadsheet
from spinbattery.core.errors import EnergyScalesError

HEADER = ["s", "A(s) (GHz)", "B(s) (GHz)"]
ROWS = [[0.0, 9.0, 0.25], [0.25, 4.0, 1.0], [0.5, 1.0, 2.5], [1.0, 0.0, 7.5]]
SHEET = "Standard-Annealing Schedule"


@pytest.fixture(params=["xlsx", "csv"])
def write(request, tmp_path):
    """A function that writes rows, heading first, in one of the two formats."""

    def write_rows(rows, name="schedule"):
        path = tmp_path / f"{name}.{request.param}"
        if request.param == "csv":
            with path.open("w", newline="") as stream:
                csv.writer(stream).writerows(rows)
        else:
            write_book(path, {SHEET: rows})
        return path

    return write_rows


def write_book(path, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def column(index, new):
    """ROWS with one column replaced."""
    return [[new[k] if c == index else cell for c, cell in enumerate(row)] for k, row in enumerate(ROWS)]


def test_values_at_rows_and_between_them(write):
    scales = from_spreadsheet(write([HEADER, *ROWS], "device 1"))
    assert scales.name.partition(",")[0] == "device 1"
    np.testing.assert_allclose(scales.A([0.0, 0.25, 0.375, 0.75, 1.0]), [9.0, 4.0, 2.5, 0.5, 0.0], rtol=1e-15)
    np.testing.assert_allclose(scales.B([0.0, 0.125, 1.0]), [0.25, 0.625, 7.5], rtol=1e-15)
    np.testing.assert_array_equal(scales.kinks, [0.0, 0.25, 0.5, 1.0])


def test_column_order_other_columns_and_blank_rows_do_not_matter(write):
    rows = [["c", "B(s) (GHz)", "s", "remark", "A(s) (GHz)"]]
    rows += [[0.1, b, s, "" if s else "start", a] for s, a, b in ROWS]
    rows.insert(3, [None] * 5)
    assert from_spreadsheet(write(rows)) == from_spreadsheet(write([HEADER, *ROWS]))


@pytest.mark.parametrize("heading", ["A(s) (GHz)", " A (s) [GHz] ", "A(s)(GHz)", "A( s ) ( GHz )"])
def test_headings_may_be_spaced_and_bracketed(write, heading):
    scales = from_spreadsheet(write([["S", heading, HEADER[2]], *ROWS]))
    assert float(scales.A(0.25)) == 4.0


@pytest.mark.parametrize(("unit", "factor"), [("MHz", 1e3), ("Hz", 1e9)])
def test_other_frequency_units_are_converted(write, unit, factor):
    rows = [[s, a * factor, b] for s, a, b in ROWS]
    scales = from_spreadsheet(write([["s", f"A(s) ({unit})", "B(s) (GHz)"], *rows]))
    np.testing.assert_allclose(scales.A([row[0] for row in ROWS]), [row[1] for row in ROWS], rtol=1e-14)
    np.testing.assert_allclose(scales.B([row[0] for row in ROWS]), [row[2] for row in ROWS], rtol=1e-14)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (["t", "A(s) (GHz)", "B(s) (GHz)"], "no column headed 's'"),
        (["s", "A (GHz)", "B(s) (GHz)"], r"no column headed 'A\(s\) \(GHz\)'"),
        (["s", "A(s) (GHz)", "C(s) (GHz)"], r"no column headed 'B\(s\) \(GHz\)'"),
        (["s", "A(s)", "B(s) (GHz)"], r"no column headed 'A\(s\) \(GHz\)'"),
        (["s", "A(s) ()", "B(s) (GHz)"], "one of GHz, MHz, Hz"),
        (["s", "A(s) (GHz)", "B(s) (meV)"], r"B\(s\) is in 'meV'.*one of GHz, MHz, Hz"),
        (["s", "A(s) (ghz)", "B(s) (GHz)"], r"A\(s\) is in 'ghz'"),
        ([0.0, 9.0, 0.25], "no column headed 's'"),
    ],
)
def test_headings_that_are_refused(write, header, message):
    with pytest.raises(EnergyScalesError, match=message):
        from_spreadsheet(write([header, *ROWS]))


def test_a_column_given_twice_is_refused(write):
    rows = [[*HEADER, "A(s) (MHz)"], *([*row, 1.0] for row in ROWS)]
    with pytest.raises(EnergyScalesError, match="2 columns for A; keep one"):
        from_spreadsheet(write(rows))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (column(0, [0.0, 0.5, 0.25, 1.0]), "0.5 is followed by 0.25"),
        (column(0, [0.0, 0.25, 0.25, 1.0]), "ascend strictly"),
        (column(0, [0.1, 0.25, 0.5, 1.0]), "from 0 to 1, but run from 0.1 to 1"),
        (column(0, [0.0, 0.25, 0.5, 0.9]), "from 0 to 1, but run from 0 to 0.9"),
        (column(0, [0.0, 25.0, 50.0, 100.0]), "run from 0 to 100"),
        (column(1, [9.0, "nan", 1.0, 0.0]), r"A\(s\) has entries that are not finite"),
        (column(2, [0.25, 1.0, "inf", 7.5]), r"B\(s\) has entries that are not finite"),
        (column(1, [9.0, "about four", 1.0, 0.0]), "column A: row 3 holds 'about four', which is not a number"),
        (column(2, [0.25, 1.0, 2.5, None]), "column B: row 5 holds .*, which is not a number"),
        (column(0, [0.0, "0,25", 0.5, 1.0]), "column s: row 3 holds '0,25'"),
        (column(1, [9.0, 4.0, -1.0, 0.0]), r"A\(s\) must not be negative, but is -1 GHz at s = 0.5"),
        (column(2, [-0.25, 1.0, 2.5, 7.5]), r"B\(s\) must not be negative, but is -0.25 GHz at s = 0"),
        (ROWS[:1], "holds no table"),
        ([], "holds no table"),
    ],
)
def test_tables_that_are_refused(write, rows, message):
    with pytest.raises(EnergyScalesError, match=message):
        from_spreadsheet(write([HEADER, *rows]))


def test_a_short_row_is_refused(write):
    with pytest.raises(EnergyScalesError, match="row 3 holds"):
        from_spreadsheet(write([HEADER, ROWS[0], ROWS[1][:2], *ROWS[2:]]))


def test_the_row_named_in_an_error_is_that_of_the_file(write):
    rows = [HEADER, ROWS[0], [None] * 3, [0.25, "four", 1.0], *ROWS[2:]]
    with pytest.raises(EnergyScalesError, match="row 4 holds 'four'"):
        from_spreadsheet(write(rows))


def test_the_sheet_is_found_by_its_name_or_chosen(tmp_path):
    fast = [[s, 2.0 * a, b] for s, a, b in ROWS]
    sheets = {"Notes": [["nothing here"]], SHEET: [HEADER, *ROWS], "Fast": [HEADER, *fast]}
    path = write_book(tmp_path / "book.xlsx", sheets)
    assert float(from_spreadsheet(path).A(0.0)) == 9.0
    assert float(from_spreadsheet(path, sheet="Fast").A(0.0)) == 18.0
    with pytest.raises(EnergyScalesError, match="no sheet 'Slow'; choose one of 'Notes', 'Standard-Annealing"):
        from_spreadsheet(path, sheet="Slow")


def test_a_book_without_the_standard_sheet_is_refused(tmp_path):
    path = write_book(tmp_path / "book.xlsx", {"Fast": [HEADER, *ROWS]})
    with pytest.raises(EnergyScalesError, match="no sheet 'Standard-Annealing Schedule'; choose one of 'Fast'"):
        from_spreadsheet(path)


def test_missing_files_and_other_formats_are_refused(tmp_path):
    with pytest.raises(EnergyScalesError, match=r"there is no file 'schedule.xlsx'"):
        from_spreadsheet(tmp_path / "schedule.xlsx")
    with pytest.raises(EnergyScalesError, match="there is no file"):
        from_spreadsheet(tmp_path)
    other = tmp_path / "schedule.ods"
    other.write_text("s,A,B")
    with pytest.raises(EnergyScalesError, match=r"only \.xlsx and \.csv are read"):
        from_spreadsheet(other)


def test_text_under_the_name_of_a_workbook_is_refused(tmp_path):
    path = tmp_path / "schedule.xlsx"
    path.write_text("s,A(s) (GHz),B(s) (GHz)\n")
    with pytest.raises(EnergyScalesError, match=r"schedule.xlsx is not a readable \.xlsx workbook"):
        from_spreadsheet(path)


def test_an_archive_that_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "schedule.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    with pytest.raises(EnergyScalesError, match="not a readable"):
        from_spreadsheet(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.95])
def test_a_truncated_workbook_is_refused(tmp_path, kept):
    path = write_book(tmp_path / "schedule.xlsx", {SHEET: [HEADER, *ROWS]})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(EnergyScalesError, match="not a readable"):
        from_spreadsheet(path)


def test_a_flipped_byte_in_the_compressed_sheet_is_refused(tmp_path):
    path = write_book(tmp_path / "schedule.xlsx", {SHEET: [HEADER, *ROWS]})
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(path.read_bytes())
    for offset in range(60, entry.compress_size, 40):
        damaged = bytearray(data)
        damaged[entry.header_offset + offset] ^= 0x5A
        path.write_bytes(damaged)
        with pytest.raises(EnergyScalesError, match="not a readable"):
            from_spreadsheet(path)


def test_a_sheet_that_is_no_xml_is_refused(tmp_path):
    whole = write_book(tmp_path / "whole.xlsx", {SHEET: [HEADER, *ROWS]})
    path = tmp_path / "schedule.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            target.writestr(entry, content[:-40] if "sheet1" in entry.filename else content)
    with pytest.raises(EnergyScalesError, match="not a readable"):
        from_spreadsheet(path)


def test_a_csv_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "schedule.csv"
    path.write_bytes("s,A(s) (GHz),B(s) (GHz),µ\n".encode("latin-1"))
    with pytest.raises(EnergyScalesError, match="is not text; save it as UTF-8"):
        from_spreadsheet(path)


def test_a_byte_order_mark_is_no_part_of_the_first_heading(tmp_path):
    path = tmp_path / "schedule.csv"
    lines = [",".join(map(str, row)) for row in (HEADER, *ROWS)]
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    assert float(from_spreadsheet(path).B(1.0)) == 7.5


def test_a_sheet_of_a_csv_is_refused(tmp_path):
    path = tmp_path / "schedule.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in (HEADER, *ROWS)))
    with pytest.raises(EnergyScalesError, match="has no sheet"):
        from_spreadsheet(path, "Standard")


def test_sheets_of_one_book_are_told_apart(tmp_path):
    fast = [[s, 2.0 * a, b] for s, a, b in ROWS]
    path = write_book(tmp_path / "book.xlsx", {SHEET: [HEADER, *ROWS], "Fast-Annealing Schedule": [HEADER, *fast]})
    standard, other = from_spreadsheet(path), from_spreadsheet(path, "Fast-Annealing Schedule")
    assert (standard.name, other.name) == (f"book, {SHEET}", "book, Fast-Annealing Schedule")
    assert standard.content_hash != other.content_hash
    assert replace(other, name="any").content_hash == other.content_hash


def test_the_sheets_of_an_advantage2_workbook_are_told_apart(tmp_path):
    """A(0.35) is 1.093 GHz on one sheet and 2.837 GHz on the other, as in the vendor's book of Advantage2_system4."""
    books = {
        sheet: [HEADER, [0.0, 10.0, 0.1], [0.35, middle, 2.0], [1.0, 0.0, 13.9]]
        for sheet, middle in ((SHEET, 1.093), ("Fast-Annealing Schedule", 2.837))
    }
    path = write_book(tmp_path / "advantage2.xlsx", books)
    found = {from_spreadsheet(path, sheet).name: float(from_spreadsheet(path, sheet).A(0.35)) for sheet in books}
    assert found == {f"advantage2, {SHEET}": 1.093, "advantage2, Fast-Annealing Schedule": 2.837}


def test_of_several_standard_sheets_none_is_guessed(tmp_path):
    path = write_book(tmp_path / "book.xlsx", {SHEET: [HEADER, *ROWS], "Non-standard": [HEADER, *ROWS]})
    with pytest.raises(EnergyScalesError, match="2 sheets with a standard schedule; name one of 'Standard-Anne"):
        from_spreadsheet(path)
    assert from_spreadsheet(path, "Non-standard").name == "book, Non-standard"
