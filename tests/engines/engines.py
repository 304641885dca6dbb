"""JavaScript engines besides the lab's own, each running a script against a lab's bridge.

Node (V8), Duktape and MuJS share no code with each other, with quickjs or with Wine's
JScript.  Duktape and MuJS know ECMAScript 5 only; ``shims.js`` adds what the lab's
prelude needs.  MuJS has no way to read a long line, so answers reach it in a file.
"""

from __future__ import annotations

import ctypes
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

Call = Callable[..., object]
HERE = Path(__file__).parent
_MEMBER = re.compile(r"\.\s*([A-Za-z]\w*)|\[?\"(\w+)\"")
_NODE = r"""
const fs = require("fs"), vm = require("vm");
function line() {
  const parts = [], byte = Buffer.alloc(65536);
  for (;;) {
    const count = fs.readSync(0, byte, 0, byte.length);
    parts.push(Buffer.from(byte.subarray(0, count)));
    if (count === 0 || byte[count - 1] === 10) return Buffer.concat(parts).toString("utf8");
  }
}
function say(value) { fs.writeSync(1, JSON.stringify(value) + "\n"); }
for (let given = line(); given; given = line()) {
  const {prelude, source} = JSON.parse(given), context = vm.createContext({});
  context.__host = (...args) => { say(args); return JSON.parse(line()); };
  let error = "";
  try {
    vm.runInContext(prelude, context);
    vm.runInContext("(function () {" + source + "\n})()", context);
  } catch (thrown) { error = String(thrown); }
  say({error});
}
"""
_MUJS = r"""
(function (global, print, readline, read, stringify, parse, make, file) {
  var given = parse(read(file)), error = "";
  global.__host = function () {
    print(stringify(Array.prototype.slice.call(arguments)));
    readline();
    return parse(read(file));
  };
  installShims(global, given.spellings);
  try {
    make("return " + given.prelude)();
    make(given.source)();
  } catch (thrown) { error = String(thrown) + (thrown.stackTrace || ""); }
  print(stringify({error: error}));
})(this, print, readline, read, JSON.stringify, JSON.parse, Function, FILE);
"""


def _spellings(source: str) -> list[str]:
    """Every name in a script that may be a member of a COM object."""
    return sorted({one or other for one, other in _MEMBER.findall(source)})


def _talk(call: Call, out: IO[str], answer: Callable[[str], None]) -> str:
    """Answer an engine's calls until it ends; the uncaught error, or ``""``."""
    for line in out:
        said = json.loads(line)
        if isinstance(said, dict):
            return str(said["error"])
        answer(json.dumps(call(*said)))
    return "the engine ended without a word"


def node(call: Call, prelude: str, source: str) -> str:
    """V8, as Node.js has it: each script has a world of its own in a process for many.

    In use: a script that starts another gets another process.
    """
    try:
        process = _idle.pop()
    except IndexError:
        process = subprocess.Popen(
            ["node", "-e", _NODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin = process.stdin

    def answer(text: str) -> None:
        stdin.write(text + "\n")
        stdin.flush()

    answer(json.dumps({"prelude": prelude, "source": source}))
    error = _talk(call, process.stdout, answer)
    _idle.append(process)
    return error


_idle: list[subprocess.Popen[str]] = []


def end_processes() -> None:
    """End the processes that are kept for further scripts."""
    while _idle:
        with _idle.pop() as process:
            pass  # its input ends
        assert process.returncode == 0


def mujs(call: Call, prelude: str, source: str) -> str:
    """MuJS, Artifex's interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        file, script = Path(folder, "answer.json"), Path(folder, "host.js")
        given = {"prelude": prelude, "source": source, "spellings": _spellings(source)}
        file.write_text(json.dumps(given), "utf-8")
        host = _MUJS.replace("FILE", json.dumps(str(file)))
        script.write_text((HERE / "shims.js").read_text("utf-8") + host, "utf-8")
        with subprocess.Popen(
            ["stdbuf", "-oL", "mujs", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            stdin = process.stdin

            def answer(text: str) -> None:
                file.write_text(text, "utf-8")
                stdin.write("\n")
                stdin.flush()

            return _talk(call, process.stdout, answer)


_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


def duktape(call: Call, prelude: str, source: str) -> str:
    """Duktape, as a shared library."""
    library = ctypes.CDLL("libduktape.so.207")
    library.duk_create_heap.restype = ctypes.c_void_p
    library.duk_safe_to_lstring.restype = ctypes.c_char_p
    heap = ctypes.c_void_p(library.duk_create_heap(None, None, None, None, None))

    def text(index: int) -> str:
        return bytes(library.duk_safe_to_lstring(heap, index, None)).decode("utf-8", "replace")

    def answer(_context: Any) -> int:
        library.duk_push_string(heap, json.dumps(call(*json.loads(text(0)))).encode())
        return 1

    def run(script: str) -> str:
        """Compile and run; the error as text, or ``""``."""
        data = script.encode()
        flags = 0x08 | 0x80 | 0x200 | 0x800  # DUK_COMPILE_EVAL, _SAFE, _NOSOURCE, _NOFILENAME
        failed = library.duk_eval_raw(heap, data, ctypes.c_size_t(len(data)), flags)
        return text(-1) if failed else ""

    host = _FUNCTION(answer)  # referred to as long as the heap is there
    library.duk_push_c_function(heap, host, 1)
    library.duk_put_global_string(heap, b"__call")
    spellings = json.dumps(_spellings(source))
    bridge = """(function (global, call, stringify, parse) {
      global.__host = function () {
        return parse(call(stringify(Array.prototype.slice.call(arguments))));
      };
    })(this, __call, JSON.stringify, JSON.parse);"""
    shims = (HERE / "shims.js").read_text("utf-8")
    try:
        return (
            run(f"{shims}\ninstallShims(this, {spellings});")
            or run(bridge)
            or run(prelude)
            or run(f"(function () {{{source}\n}})()")
        )
    finally:
        library.duk_destroy_heap(heap)


ENGINES = {"node": node, "mujs": mujs, "duktape": duktape}


def missing(name: str) -> str:
    """The Debian package that is not there, or ``""``."""
    if name == "duktape":
        try:
            ctypes.CDLL("libduktape.so.207")
        except OSError:
            return "needs the Debian package libduktape207"
        return ""
    package = "nodejs" if name == "node" else name
    return "" if shutil.which(name) else f"needs the Debian package {package}"
