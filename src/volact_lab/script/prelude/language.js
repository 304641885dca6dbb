/*
 * The language as JScript 5.8 has it: the server's clock, numbers on errors,
 * and nothing younger.
 */
/* The server's clock, not ours.  Local time would be this machine's zone. */
function ServerDate(a) {
  if (!(this instanceof ServerDate)) {
    return new ServerDate().toUTCString();
  }
  if (arguments.length > 1) {
    call("lab", "new Date() with local time parts");
  }
  return new RealDate(arguments.length ? a : call("now"));
}
ServerDate.prototype = RealDate.prototype;
ServerDate.UTC = RealDate.UTC;
ServerDate.parse = RealDate.parse;
RealDate.prototype.constructor = ServerDate;
RealDate.prototype.getTimezoneOffset = function () { return -call("bias"); };

/* Errors of the language itself have numbers too. */
function number(kind, code) {
  kind.prototype.number = code | 0;
}
number(Error, 0);
number(TypeError, 0x800A138F);
number(ReferenceError, 0x800A1391);
number(RangeError, 0x800A1396);

/* Take away what JScript 5.8 has not. */
function keep(object, names) {
  var wanted = {}, list = names.split(" "), have = namesOf(object), i;
  for (i = 0; i < list.length; i++) {
    wanted[list[i]] = true;
  }
  for (i = 0; i < have.length; i++) {
    if (wanted[have[i]] !== true) {
      delete object[have[i]];
    }
  }
}
var text = "constructor length toString valueOf ";
keep(Array.prototype, text + "toLocaleString concat join pop push reverse shift slice sort" +
  " splice unshift");
keep(String.prototype, text + "anchor big blink bold charAt charCodeAt concat fixed fontcolor" +
  " fontsize indexOf italics lastIndexOf link localeCompare match replace search slice small" +
  " split strike sub substr substring sup toLowerCase toLocaleLowerCase toUpperCase" +
  " toLocaleUpperCase");
keep(Function.prototype, text + "name arguments caller apply call");
keep(RegExp.prototype, text + "exec test compile source global ignoreCase multiline lastIndex" +
  " flags");
keep(RealDate.prototype, text + "getTime setTime getTimezoneOffset getUTCDate getUTCDay" +
  " getUTCFullYear getUTCHours getUTCMilliseconds getUTCMinutes getUTCMonth getUTCSeconds" +
  " setUTCDate setUTCFullYear setUTCHours setUTCMilliseconds setUTCMinutes setUTCMonth" +
  " setUTCSeconds toUTCString toGMTString");
keep(Object, "prototype length name");
keep(Array, "prototype length name");
keep(String, "prototype length name fromCharCode");
keep(Number, "prototype length name MAX_VALUE MIN_VALUE NaN NEGATIVE_INFINITY POSITIVE_INFINITY");
keep(Math, "E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs acos asin atan atan2 ceil cos exp" +
  " floor log max min pow random round sin sqrt tan");
keep(global, "Object Function Array String Boolean Number RegExp Error EvalError RangeError" +
  " ReferenceError SyntaxError TypeError URIError Math NaN Infinity undefined parseInt" +
  " parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI encodeURIComponent" +
  " escape unescape eval");

function unmodelled(name) {
  global[name] = function () {
    call("lab", name + " is not modelled");
    throw fault(NO_OBJECT, name);
  };
}
unmodelled("Enumerator");
unmodelled("GetObject");
function engine(part) {
  return function () { return Number(call("engine").split(".")[part]); };
}
global.ScriptEngine = function () { return "JScript"; };
global.ScriptEngineMajorVersion = engine(0);
global.ScriptEngineMinorVersion = engine(1);
global.ScriptEngineBuildVersion = engine(2);
global.Date = ServerDate;
global.VBArray = VBArray;
global.ActiveXObject = ActiveXObject;
global.WScript = com(WSCRIPT, null);
