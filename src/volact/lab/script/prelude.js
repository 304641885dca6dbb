/*
 * What a script on Windows Script Host finds: WScript, ActiveXObject, VBArray,
 * errors with numbers, the server's own clock - and nothing younger than
 * JScript 5.8.  `__host` is the bridge to Python: its answers carry a letter in
 * front (s text, j JSON, e error, q the script is over).
 */
(function (global) {
  var host = global.__host, json = global.__json, parse = JSON.parse, stringify = JSON.stringify, ProxyOf = Proxy;
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

  /*
   * COM objects: names do not care about case, an unknown member is an error.
   * A kind has get, set and call tables by lower-case name; `self` is the state.
   */
  function com(kind, self) {
    return new ProxyOf({self: self}, kind.handler || (kind.handler = handlerOf(kind)));
  }

  function handlerOf(kind) {
    var calls = kind.call || {}, gets = kind.get || {}, sets = kind.set || {};
    return {
      get: function (target, name) {
        var key = typeof name === "string" ? name.toLowerCase() : "", self = target.self;
        if (gets.hasOwnProperty(key)) {
          return gets[key](self);
        }
        if (calls.hasOwnProperty(key)) {
          return function (a, b, c, d) {
            return calls[key](self, a, b, c, d);
          };
        }
        throw missing(kind, name);
      },
      set: function (target, name, value) {
        var key = String(name).toLowerCase();
        if (!sets.hasOwnProperty(key)) {
          throw missing(kind, name);
        }
        sets[key](target.self, value);
        return true;
      },
      has: function (_t, name) { throw missing(kind, name); },
      ownKeys: function () { throw missing(kind, "for-in"); },
      deleteProperty: function (_t, name) { throw missing(kind, name); },
      getPrototypeOf: function () { return null; }
    };
  }

  function missing(kind, name) {
    try {
      call("lab", kind.name + " has no member " + String(name) + " that the lab models");
    } catch (error) {
      if (error === over) {
        return error;
      }
    }
    return fault(NO_MEMBER, "Object doesn't support this property or method");
  }

  /* Safe arrays: opaque but for VBArray. */
  var arrays = new WeakMap();

  function cell(value) {
    var array;
    if (value === null || typeof value !== "object") {
      return value;
    }
    array = com({name: "SafeArray"}, null);
    arrays.set(array, value);
    return array;
  }

  function VBArray(value) {
    var held = arrays.get(value);
    if (!held) {
      throw fault(0x800A1395, "VBArray expected");
    }
    this.lbound = function () { return 0; };
    this.ubound = function () { return (held.bytes === undefined ? held.length : held.bytes) - 1; };
    this.dimensions = function () { return 1; };
    this.toArray = function () {
      if (held.bytes !== undefined) {
        call("lab", "the bytes of a binary value were read");
      }
      return held.slice(0);
    };
    this.getItem = function (index) { return this.toArray()[index]; };
  }

  /* WMI */
  function rowOf(data) {
    return com(ROW, {name: data[0], key: data[1], values: data[2]});
  }

  function find(table, name, code) {
    var wanted = String(name).toLowerCase(), key;
    if (table.hasOwnProperty(name)) {
      return name;
    }
    for (key in table) {
      if (key.toLowerCase() === wanted) {
        return key;
      }
    }
    throw fault(code || 0x80041002, "Not found");
  }

  var PROPERTY = {name: "SWbemProperty",
    get: {
      value: function (p) { return cell(p.table[p.name]); },
      name: function (p) { return p.name; }
    },
    set: {value: function (p, value) {
      if (!p.types) {
        call("lab", "a property of an instance was written");
      }
      if (p.types[p.name] === "string" ? typeof value !== "string" : isNaN(Number(value))) {
        throw fault(0x80041005, "Type mismatch");
      }
      p.table[p.name] = value;
    }}};
  var PROPERTIES = {name: "SWbemPropertySet",
    call: {item: function (s, name) {
      return com(PROPERTY, {table: s.table, types: s.types,
        name: find(s.types || s.table, name)});
    }}};
  var INPUT = {name: "SWbemObject (parameters)",
    get: {properties_: function (s) { return com(PROPERTIES, s); }},
    call: {spawninstance_: function (s) { return com(INPUT, {table: {}, types: s.types}); }}};
  var METHOD = {name: "SWbemMethod",
    get: {inparameters: function (m) { return com(INPUT, {table: {}, types: m.params}); }}};
  var METHODS = {name: "SWbemMethodSet",
    call: {item: function (m, name) {
      return com(METHOD, {params: m[find(m, name)]});
    }}};
  var CLASS = {name: "SWbemObject (class)",
    get: {methods_: function (c) { return com(METHODS, c.methods); }}};
  var inputs = new WeakMap();
  var plainCom = com;
  com = function (kind, self) {
    var object = plainCom(kind, self);
    if (kind === INPUT) {
      inputs.set(object, self);
    }
    return object;
  };
  var ROW = {name: "SWbemObject",
    get: {properties_: function (r) { return com(PROPERTIES, {table: r.values}); }},
    call: {execmethod_: function (r, method, input) {
      var given = input === undefined || input === null ? {} : (inputs.get(input) || {}).table;
      return com(INPUT, {table: call("wmi.call", r.name, r.key, String(method),
        stringify(given))});
    }}};
  var SET = {name: "SWbemObjectSet",
    get: {count: function (s) { return settled(s).length; }},
    call: {itemindex: function (s, index) {
      var rows = settled(s);
      if (!(index >= 0 && index < rows.length)) {
        throw fault(0x80041002, "Not found");
      }
      return rowOf(rows[index]);
    }}};

  function settled(set) {
    if (set.error) {
      throw set.error;
    }
    return set.rows;
  }

  var SERVICES = {name: "SWbemServices",
    call: {
      execquery: function (_s, text, language, flags) {
        var result = {};
        if (language !== undefined && String(language).toUpperCase() !== "WQL") {
          throw fault(0x80041018, "Invalid query type");
        }
        flags = flags === undefined ? 16 : flags;
        if (flags !== 0 && flags !== 16) {
          call("lab", "ExecQuery with flags " + flags);
        }
        try {
          result.rows = call("wmi.query", String(text));
        } catch (error) {
          if (error === over || flags === 0) {
            throw error;
          }
          result.error = error;  /* it surfaces when the rows are asked for */
        }
        return com(SET, result);
      },
      get: function (_s, path) {
        var data = call("wmi.get", String(path));
        return data.methods ? com(CLASS, data) : rowOf(data.row);
      }
    }};
  var LOCATOR = {name: "SWbemLocator",
    call: {connectserver: function (_s, server, namespace) {
      call("wmi.connect", server === undefined ? "." : server,
        namespace === undefined ? "root\\cimv2" : namespace);
      return com(SERVICES, null);
    }}};

  /* WScript.Shell */
  var SHELL = {name: "WScript.Shell",
    call: {
      regread: function (_s, path) { return cell(call("reg.read", path)); },
      regwrite: function (_s, path, value, kind) {
        call("reg.write", path, value, kind === undefined ? "REG_SZ" : kind);
      },
      regdelete: function (_s, path) { call("reg.delete", path); },
      run: function (_s, command, _style, wait) {
        return call("run", command, wait === true);
      },
      expandenvironmentstrings: function (_s, text) { return call("expand", text); }
    }};

  /* Scripting.FileSystemObject */
  var STREAM = {name: "TextStream",
    get: {
      atendofstream: function (t) { return t.at >= t.text.length; }
    },
    call: {
      readall: function (t) {
        var rest = t.text.slice(t.at);
        if (t.path !== null || rest === "") {
          throw fault(rest === "" ? 0x800A003E : 0x800A0036, "Input past end of file");
        }
        t.at = t.text.length;
        return rest;
      },
      readline: function (t) {
        var end = t.text.indexOf("\n", t.at), line;
        if (t.at >= t.text.length) {
          throw fault(0x800A003E, "Input past end of file");
        }
        end = end < 0 ? t.text.length : end;
        line = t.text.slice(t.at, end).replace(/\r$/, "");
        t.at = end + 1;
        return line;
      },
      write: function (t, text) { put(t, String(text)); },
      writeline: function (t, text) { put(t, (text === undefined ? "" : String(text)) + "\r\n"); },
      close: function (t) {
        if (t.path !== null) {
          call("file.write", t.path, t.text, t.unicode);
        }
      }
    }};

  function put(stream, text) {
    if (stream.path === null) {
      throw fault(0x800A0036, "Bad file mode");
    }
    stream.text += text;
  }

  var FILE = {name: "File",
    get: {
      size: function (f) { return f.size; },
      path: function (f) { return f.path; },
      name: function (f) { return f.name; }
    }};
  var FILES = {name: "Scripting.FileSystemObject",
    call: {
      fileexists: function (_s, path) { return call("file.exists", path); },
      folderexists: function (_s, path) { return call("folder.exists", path); },
      deletefile: function (_s, path) { call("file.delete", path); },
      getfile: function (_s, path) { return com(FILE, call("file.stat", path)); },
      opentextfile: function (_s, path, mode, create, format) {
        if (mode !== undefined && mode !== 1 || create) {
          call("lab", "OpenTextFile for writing");
        }
        return com(STREAM, {text: call("file.read", path, format === -1), at: 0, path: null});
      },
      createtextfile: function (_s, path, overwrite, unicode) {
        call("file.create", path, overwrite === undefined || overwrite, unicode === true);
        return com(STREAM, {text: "", at: 0, path: path, unicode: unicode === true});
      }
    }};

  /* WinHttp.WinHttpRequest.5.1 */
  var HTTP = {name: "WinHttp.WinHttpRequest.5.1",
    get: {
      status: function (h) { return answered(h).status; },
      statustext: function (h) { return answered(h).reason; },
      responsetext: function (h) { return answered(h).text; }
    },
    call: {
      setproxy: function (_h, kind) {
        if (kind !== 1) {
          call("lab", "SetProxy(" + kind + ")");
        }
      },
      settimeouts: function (h, _resolve, connect) { h.connect = connect; },
      open: function (h, method, url, later) {
        h.method = method;
        h.url = url;
        h.later = later === true;
      },
      setrequestheader: function (h, name, value) { h.headers[name] = String(value); },
      send: function (h) {
        if (!h.url) {
          throw fault(0x80072EF3, "Open was not called");
        }
        h.sent = true;
        if (!h.later) {
          exchange(h);
        }
      },
      /* Nothing else runs meanwhile, so the exchange happens when it is waited for. */
      waitforresponse: function (h) {
        if (!h.sent) {
          throw fault(0x80072EF3, "Send was not called");
        }
        if (!h.answer) {
          exchange(h);
        }
        return true;
      },
      abort: function (h) { h.sent = false; },
      getresponseheader: function (h, name) {
        var headers = answered(h).headers, i;
        for (i = 0; i < headers.length; i++) {
          if (headers[i][0].toLowerCase() === String(name).toLowerCase()) {
            return headers[i][1];
          }
        }
        throw fault(0x80072F76, "The requested header was not found");
      }
    }};

  function exchange(h) {
    h.answer = call("http", String(h.method), String(h.url), stringify(h.headers), h.connect);
  }

  function answered(http) {
    if (!http.answer) {
      throw fault(0x8000000A, "The data necessary to complete this operation is not yet available");
    }
    return http.answer;
  }

  var OBJECTS = {
    "wbemscripting.swbemlocator": function () { return com(LOCATOR, null); },
    "wscript.shell": function () { return com(SHELL, null); },
    "scripting.filesystemobject": function () { return com(FILES, null); },
    "winhttp.winhttprequest.5.1": function () {
      return com(HTTP, {headers: {}, connect: 60000, answer: null, url: ""});
    }
  };

  function ActiveXObject(name) {
    var key = String(name).toLowerCase();
    if (!OBJECTS.hasOwnProperty(key)) {
      call("progid", String(name));
      throw fault(NO_OBJECT, "Automation server can't create object");
    }
    return OBJECTS[key]();
  }

  var WSCRIPT = {name: "WScript",
    get: {
      scriptfullname: function () { return call("script", "full"); },
      scriptname: function () { return call("script", "name"); },
      version: function () { return "5.8"; },
      fullname: function () { return call("script", "engine"); }
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
  unmodelled("ScriptEngine");
  global.Date = ServerDate;
  global.VBArray = VBArray;
  global.ActiveXObject = ActiveXObject;
  global.WScript = com(WSCRIPT, null);
  /* The literal that was taken out of the script (source.py). */
  global.__literal = function () { return parse(json()); };
  delete global.__host;

  /*
   * Whether a script left everything as it found it, so that the next one may
   * use the same engine; the name of what it changed, else "".
   */
  function inventory() {
    var objects = [global, Object, Array, String, Number, Math, ServerDate, Object.prototype,
      Array.prototype, String.prototype, Number.prototype, Boolean.prototype, RealDate.prototype,
      Function.prototype, RegExp.prototype, Error.prototype, TypeError.prototype], seen = [], i, k;
    var names;
    for (i = 0; i < objects.length; i++) {
      names = namesOf(objects[i]);
      for (k = 0; k < names.length; k++) {
        if (names[k] !== "arguments" && names[k] !== "caller") {
          seen.push(names[k], objects[i][names[k]]);
        }
      }
    }
    return seen;
  }
  var clean = inventory();
  return function () {
    var now = inventory(), i;
    for (i = 0; i < now.length || i < clean.length; i++) {
      if (now[i] !== clean[i] && !(now[i] !== now[i] && clean[i] !== clean[i])) {
        return String(now[i - i % 2] || "a name");
      }
    }
    return "";
  };
})(this);
