"""Two returns become one where only a condition is between them; what is returned stays."""

from __future__ import annotations

import json

import pytest
import quickjs

from volact.agent.shorten import without_signs

ONE = {
    "if (a) {return 1;} return 2;": "return a?1:2",
    "if (!a) {\nreturn 1;\n}\nreturn 2;": "return!a?1:2",
    "if (a > 1) {return 1;} if (a === 1) {return b(a, 2);} return [a, b];": (
        "return a>1?1:a===1?b(a,2):[a,b]"
    ),
    'a++; if ("1" < a) {return a;} return "x,y";': 'a++;return"1"<a?a:"x,y"',
    "if (a) {b(a); a--;} if (a) {return 1;} return 2;": "if(a){b(a);a--}return a?1:2",
    "if (a) {return 1;} return a ? 2 : 3;": "return a?1:a?2:3",
    "if (a >= 1 && (a = 0, b)) {return /[,]/g.test(a);} return b;": (
        "return a>=1&&(a=0,b)?/[,]/g.test(a):b"
    ),
}
STAY = {
    "while (a--) {if (a) {return 1;}} return 2;": "while(a--)if(a)return 1;return 2",
    "if (a) {if (a > 1) {return 1;} else {a = 0;}} return 2;": (
        "if(a)if(a>1)return 1;else a=0;return 2"
    ),
    "if (b) {a = a + 1;} else if (a) {return 1;} return 2;": (
        "if(b)a=a+1;else if(a)return 1;return 2"
    ),
    "if (a = a - 1) {return 1;} return 2;": "if(a=a-1)return 1;return 2",
    "if (a >>= 1) {return 1;} return 2;": "if(a>>=1)return 1;return 2",
    "if (a ? b : a) {return 1;} return 2;": "if(a?b:a)return 1;return 2",
    "if (a) {return a, 1;} return 2;": "if(a)return a,1;return 2",
    "if (a) {return 1;} return a, 2;": "if(a)return 1;return a,2",
    "if (a) {return;} return 2;": "if(a)return;return 2",
    "if (a) {return 1;} return;": "if(a)return 1;return",
    "if (a) {return 1;} a++; return 2;": "if(a)return 1;a++;return 2",
    "if (a) {return 1;} else {return 2;}": "if(a)return 1;else return 2",
}


def test_the_one_is_written() -> None:
    assert {body: shortened(body) for body in ONE} == ONE


def test_what_means_something_else_stays() -> None:
    assert {body: shortened(body) for body in STAY} == STAY


@pytest.mark.parametrize("body", [*ONE, *STAY])
def test_the_same_is_returned(body: str) -> None:
    calls = ";[0,1,2,3].concat('1').map(function(a){return String(f(a,function(c){return c}))})"
    script = f"function f(a, b) {{{body}}}"
    seen, same = (
        quickjs.Context().eval(f"JSON.stringify((function(){{{text};return {calls[1:]}}})())")
        for text in (script, without_signs(script))
    )
    assert json.loads(str(seen)) == json.loads(str(same))


def shortened(body: str) -> str:
    text = without_signs(f"function f(a, b) {{{body}}}")
    return "".join(text.removeprefix("function f(a,b){").removesuffix("}").split("\n"))
