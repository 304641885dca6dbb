/*
 * The way out of the script: `__host` is a function of Python.  Its answers
 * carry a letter in front: s text, j JSON, e error, q the script is over.
 */

var host = global.__host, json = global.__json;
var parse = JSON.parse, stringify = JSON.stringify, ProxyOf = Proxy;
var RealDate = Date, namesOf = Object.getOwnPropertyNames;
var over = {toString: function () { return "the script is over"; }};
var NO_MEMBER = 0x800A01B6, NO_OBJECT = 0x800A01AD;

function fault(code, text) {
  var error = new Error(text || "");
  error.number = code | 0;
  error.description = text || "";
  return error;
}

function call(op, a, b, c, d) {
  var answer = host(op, plain(a), plain(b), plain(c), plain(d)), cut;
  if (typeof answer !== "string") {
    return answer;
  }
  switch (answer.charAt(0)) {
    case "s": return answer.slice(1);
    case "j": return parse(answer.slice(1));
    case "q": throw over;
  }
  cut = answer.indexOf(":");
  throw fault(Number(answer.slice(1, cut)), answer.slice(cut + 1));
}

function plain(value) {
  if (value === undefined || value === null) {
    return null;
  }
  if (typeof value === "object" || typeof value === "function") {
    if (unbox(value) !== null) {
      return unbox(value);
    }
    call("lab", "a script object was passed to a COM object");
  }
  if (typeof value === "string" && value.indexOf("\u0000") >= 0) {
    call("lab", "a NUL character was passed to a COM object");
  }
  return value;
}

function unbox(value) {
  return value instanceof String || value instanceof Number || value instanceof Boolean
    ? value.valueOf() : null;
}
