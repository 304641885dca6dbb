/*
 * The script host: failures as HRESULTs, the environment, files, child
 * processes.  Every question goes through ask(), so that its failure is an
 * answer of its own.
 */

var FAIL = 0x80004005, NOT_IMPLEMENTED = 0x80004001, NO_FILE = 0x80070002,
    DENIED = 0x80070005, BAD_DATA = 0x8007000D, NOT_SUPPORTED = 0x80070032,
    BAD_PARAMETER = 0x80070057, TIMED_OUT = 0x800705B4, NO_SERVICE = 0x80070424;

var shell, files;
var base = String(WScript.ScriptFullName).replace(/\.js$/i, ""), marker = base + ".ran";

/* The message of a failure is the name of the object, for the answer. */
function newObject(name) {
  try {
    return new ActiveXObject(name);
  } catch (error) {
    error.message = name;
    throw error;
  }
}

/*
 * A server may have script hosting and not these; so they are made where that is answered.
 * A file shows the batch part that the script ran.
 */
function begin() {
  shell = newObject("WScript.Shell");
  files = newObject("Scripting.FileSystemObject");
  try {
    files.OpenTextFile(marker, 8, true).Close();
  } catch (error) {
    /* The exit code says that it ran. */
  }
}

function hex(number, width) {
  var text = (number >>> 0).toString(16);
  while (text.length < width) {
    text = "0" + text;
  }
  return text;
}

function hexCode(number) {
  return "0x" + hex(number, 8).toUpperCase();
}

function failure(hresult) {
  var error = new Error("");
  error.number = hresult | 0;
  return error;
}

function hresultOf(error) {
  var number = error ? error.number : 0;
  return typeof number === "number" && number ? number >>> 0 : FAIL;
}

function unreadable(hresult) {
  return {"!": hresult >>> 0};
}

/* Of a fact that is a word, a number or none. */
function isUnreadable(fact) {
  return fact !== null && typeof fact === "object";
}

function ask(question) {
  var value;
  try {
    value = question();
  } catch (error) {
    return unreadable(hresultOf(error));
  }
  return value === undefined ? null : value;
}

function clip(value, limit) {
  var text = String(value);
  return text.length > limit ? text.substr(0, limit) : text;
}

/* Those items of a list that pass a test. */
function chosen(list, test) {
  var found = [], i;
  for (i = 0; i < list.length; i++) {
    if (test(list[i])) {
      found.push(list[i]);
    }
  }
  return found;
}

function some(list, test) {
  return chosen(list, test).length > 0;
}

function includes(list, item) {
  return some(list, function (one) {
    return one === item;
  });
}

function trim(text) {
  return String(text).replace(/^\s+/, "").replace(/\s+$/, "");
}

function now() {
  return new Date().getTime();
}

/*
 * Wine's host cannot sleep, and turning would take CPU from what is waited for: it waits whole
 * seconds for the answer to a request that was not sent.
 */
function nap(milliseconds) {
  var until = now() + milliseconds, turns = 0;
  try {
    WScript.Sleep(milliseconds);
  } catch (error) {
    ask(function () {
      var http = new ActiveXObject("WinHttp.WinHttpRequest.5.1");
      http.Open("GET", "http://localhost", true);
      http.WaitForResponse(Math.ceil(milliseconds / 1000));
    });
    while (now() < until && turns < 5000000) {
      turns++;
    }
  }
}

/* Wine leaves the final NUL on some strings, Windows what was behind it in some values. */
function withoutNul(text) {
  return String(text).replace(/\u0000[\s\S]*$/, "");
}

function expanded(text) {
  return withoutNul(shell.ExpandEnvironmentStrings(text));
}

function systemFile(name) {
  return expanded("%SystemRoot%") + "\\System32\\" + name;
}

function readFile(path, format) {
  var stream, text;
  if (!files.FileExists(path)) {
    throw failure(NO_FILE);
  }
  if (files.GetFile(path).Size === 0) {
    return "";
  }
  stream = files.OpenTextFile(path, 1, false, format);
  text = stream.ReadAll();
  stream.Close();
  return text;
}

function removeFile(path) {
  try {
    files.DeleteFile(path, true);
    return true;
  } catch (error) {
    return false;
  }
}

/* The exit code of a Windows tool: done, an HRESULT, or a Win32 code. */
function toolFailure(code) {
  if (code === 0) {
    return null;
  }
  return code > 0 && code < 65536 ? 0x80070000 + code : code >>> 0;
}

/* Runs a tool of System32 unseen; where its output goes is out (or nowhere). */
function runTool(name, parameters, out) {
  var tool = systemFile(name);
  if (!files.FileExists(tool)) {
    return NO_FILE;
  }
  return toolFailure(shell.Run(systemFile("cmd.exe") + " /d /c " + tool + " " + parameters +
    (out ? ' >"' + out + '" 2>nul' : " >nul 2>&1"), 0, true));
}

function mustRun(name, parameters, out) {
  var hresult = runTool(name, parameters, out);
  if (hresult !== null) {
    throw failure(hresult);
  }
}

/* The part of a tool's output that is no language's. */
function matchOf(tool, parameters, pattern) {
  var out = base + ".out", match, hresult;
  try {
    hresult = runTool(tool, parameters, out);
    match = pattern.exec(readFile(out, 0));
  } finally {
    removeFile(out);
  }
  if (!match) {
    throw failure(hresult || BAD_DATA);
  }
  return clip(trim(match[0]), 1500);
}

/*
 * Milliseconds that went by.  The clock may be set meanwhile, so a span that
 * ends before it began, or that is longer than this script may live, counts
 * for nothing; after a step that sets the clock, pass over the whole span.
 */
var spent = 0, spanStart = STARTED;

function tick(pass) {
  var span = now() - spanStart;
  spent += pass || span < 0 || span > BUDGET_MS * 2 ? 0 : span;
  spanStart = now();
  return spent;
}
