"""Tables that a voice looks things up in, and what is wrong with them, by line."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import tables


def test_rows_are_found_by_their_first_column():
    rows = tables.read('\ufefforder,status\r\n4711 ,"on its way, really"\r\n\r\n4712,packed\r\n')
    assert rows == {
        "4711": {"order": "4711", "status": "on its way, really"},
        "4712": {"order": "4712", "status": "packed"},
    }
    assert tables.columns("order,status\n") == ("order", "status")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "headings"),
        ("Order No,status\n", 1, "Write order_no."),
        ("order,order\n", 1, "Two columns"),
        ("order,status\n1,a\n2\n", 3, "1 cells"),
        ("order,status\n,a\n", 2, "is empty"),
        ("order,status\nA1,a\nb2,b\na1,c\n", 4, "stands in line 2 already"),
        ("order,status\n1," + "x" * 301, 2, "longer than 300"),
        ('order,status\n1,"a\n', 2, "no CSV"),
        (",".join(f"c{n}" for n in range(21)), 1, "at most 20 columns"),
        ("a\n" + "\n".join(map(str, range(20_001))), 20_002, "at most 20000 rows"),
        ("x" * 1_000_001, 1, "at most 1000000"),
    ],
)
def test_a_table_is_refused_with_its_line(text, line, reason):
    with pytest.raises(tables.TableError) as refused:
        tables.read(text)
    assert refused.value.line == line
    assert reason in refused.value.reason


@given(st.text('a,"\n\r\x00x1', max_size=200) | st.text(max_size=200))
def test_nothing_else_is_raised(text):
    with contextlib.suppress(tables.TableError):
        tables.read(text)
    tables.columns(text)
