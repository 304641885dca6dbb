/*
 * WScript.Shell and Scripting.FileSystemObject.
 */

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
    exec: function (_s, command) { return com(CHILD, {number: call("exec", command)}); },
    expandenvironmentstrings: function (_s, text) { return call("expand", text); }
  }};

/* A child that is not waited for. */
var CHILD = {name: "WshScriptExec",
  get: {status: function (c) { return call("child.status", c.number); }},
  call: {terminate: function (c) { call("child.end", c.number); }}};

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
        // A text may hold NUL, which does not come over the bridge as it is.
        call(t.mode || "file.write", t.path, t.text.replace(/\u0000/g, "\uE000"), t.unicode);
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
/* ADODB.Stream as a text is read with it; other uses are not modelled. */
var DATA = {name: "ADODB.Stream",
  set: {
    type: function (d, value) { d.type = value; },
    charset: function (d, value) { d.charset = String(value).toLowerCase(); },
    position: function (d, value) { d.position = value; }
  },
  call: {
    open: function () {},
    close: function () {},
    loadfromfile: function (d, path) {
      call("file.stat", path);
      d.path = path;
    },
    readtext: function (d) {
      if (d.type !== 2 || d.position !== 0 || d.path === null) {
        call("lab", "ADODB.Stream is read otherwise than a text from its beginning");
      }
      return call("file.text", d.path, d.charset).replace(/\uE000/g, "\u0000");
    }
  }};
var DRIVE = {name: "Drive",
  get: {
    freespace: function (d) { return d.free; }
  }};
var FILES = {name: "Scripting.FileSystemObject",
  call: {
    fileexists: function (_s, path) { return call("file.exists", path); },
    folderexists: function (_s, path) { return call("folder.exists", path); },
    getdrivename: function (_s, path) { return String(path).slice(0, 2); },
    getdrive: function (_s, name) { return com(DRIVE, call("drive.stat", name)); },
    deletefile: function (_s, path) { call("file.delete", path); },
    movefile: function (_s, from, to) { call("file.move", from, to); },
    getfile: function (_s, path) { return com(FILE, call("file.stat", path)); },
    opentextfile: function (_s, path, mode, create, format) {
      if (mode === 8 && create) {
        return com(STREAM, {text: "", at: 0, path: path, mode: "file.append"});
      }
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

/* Its items are the only safe array that a script can make. */
var DICTIONARY = {name: "Scripting.Dictionary",
  get: {
    count: function (d) { return d.keys.length; }
  },
  call: {
    add: function (d, key, item) {
      for (var i = 0; i < d.keys.length; i++) {
        if (d.keys[i] === key) {
          throw fault(0x800A01C9, "This key is already associated with an element");
        }
      }
      d.keys.push(key);
      d.items.push(item);
    },
    items: function (d) { return com(SAFE_ARRAY, d.items.slice(0)); }
  }};
