"""Making the script smaller: only what has no meaning goes."""

from __future__ import annotations

from volact.agent.squeeze import joined, squeeze


def test_comments_indentation_and_blanks_go() -> None:
    text = """/*
 * A header.
 */

// alone
function f(a, b) {
  return a + b;
}
"""
    assert squeeze(text) == "function f(a,b){return a+b;}"


def test_strings_and_regular_expressions_stay() -> None:
    assert squeeze('x = "a + b  =  c";') == 'x="a + b  =  c";'
    assert squeeze("x = 'say \\'no\\' + 1';") == "x='say \\'no\\' + 1';"
    assert squeeze("m = /a + b/.exec(t);") == "m = /a + b/.exec(t);"


def test_words_stay_apart() -> None:
    assert squeeze("var a = typeof b, c = d in e;") == "var a=typeof b,c=d in e;"
    assert squeeze('throw "x";') == 'throw "x";'
    assert squeeze("return -1;") == "return-1;"


def test_two_equal_signs_stay_apart() -> None:
    assert squeeze("x = a - -b;") == "x=a- -b;"
    assert squeeze("x = i + ++j;") == "x=i+ ++j;"
    assert squeeze("x = i++ + j;") == "x=i++ +j;"
    assert squeeze("x = a + -b;") == "x=a+-b;"


def test_no_line_starts_with_a_colon() -> None:
    assert squeeze("return a ? b\n  : c;") == "return a?b:c;"


def test_lines_are_joined_behind_what_a_line_end_cannot_end() -> None:
    assert joined("a();\nb();\nfunction f(){c();}\nd();") == "a();b();function f(){c();}d();"
    assert joined("x = [\na +\nb,\nc\n];") == "x = [a +b,c\n];"
    assert joined("x = a +\n+b;") == "x = a +\n+b;"
    long = "x();" * 1500
    assert joined(f"{long}\n{long}") == f"{long}\n{long}"
