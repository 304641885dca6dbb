/*
 * ActiveXObject, which makes the objects of the other parts, and WScript.
 */

var OBJECTS = {
  "wbemscripting.swbemlocator": function () { return com(LOCATOR, null); },
  "wscript.shell": function () { return com(SHELL, null); },
  "scripting.filesystemobject": function () { return com(FILES, null); },
  "adodb.stream": function () {
    return com(DATA, {type: 1, charset: "unicode", position: 0, path: null});
  },
  "scripting.dictionary": function () { return com(DICTIONARY, {keys: [], items: []}); },
  "winhttp.winhttprequest.5.1": function () {
    return com(HTTP, {headers: {}, limits: [60000, 30000], answer: null, url: ""});
  }
};

function ActiveXObject(name) {
  var key = String(name).toLowerCase();
  if (!OBJECTS.hasOwnProperty(key)) {
    call("progid", String(name));
    throw fault(NO_OBJECT, "Automation server can't create object");
  }
  call("object", key);
  return OBJECTS[key]();
}

/* The profile in force: domain on a member, else public. */
OBJECTS["hnetcfg.fwpolicy2"] = function () {
  return com({name: "INetFwPolicy2", get: {
    currentprofiletypes: function () { return call("script", "domain") ? 1 : 4; }
  }}, null);
};

var ARGUMENTS = {name: "WshArguments",
  get: {length: function (list) { return list.length; }},
  call: {item: function (list, index) { return list[index]; }}};

var WSCRIPT = {name: "WScript",
  get: {
    scriptfullname: function () { return call("script", "full"); },
    scriptname: function () { return call("script", "name"); },
    version: function () { return "5.8"; },
    fullname: function () { return call("script", "engine"); },
    arguments: function () { return com(ARGUMENTS, call("arguments")); }
  },
  call: {
    echo: function (_s, a, b, c) {
      var words = [], i, given = [a, b, c];
      for (i = 0; i < given.length && given[i] !== undefined; i++) {
        words.push(String(given[i]));
      }
      call("echo", words.join(" "));
    },
    quit: function (_s, code) { call("quit", code === undefined ? 0 : code); },
    sleep: function (_s, milliseconds) { call("sleep", milliseconds); }
  }};
