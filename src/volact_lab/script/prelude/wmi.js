/*
 * WMI: locator, services, rows, properties, methods and their parameters.
 */

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

/* Whether WMI takes an array of the script itself is not known: only safe arrays. */
function typed(type, value) {
  if (type === "string[]") {
    if (!SAFE_ARRAY.held.get(value)) {
      call("lab", "something else than a safe array was given to WMI as a list");
      throw fault(0x80041005, "Type mismatch");
    }
    return SAFE_ARRAY.held.get(value);
  }
  if (type === "string" ? typeof value !== "string" : isNaN(Number(value))) {
    throw fault(0x80041005, "Type mismatch");
  }
  return value;
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
    p.table[p.name] = typed(p.types[p.name], value);
  }}};
var PROPERTIES = {name: "SWbemPropertySet",
  call: {item: function (s, name) {
    return com(PROPERTY, {table: s.table, types: s.types,
      name: find(s.types || s.table, name)});
  }}};
var INPUT = {name: "SWbemObject (parameters)", held: new WeakMap(),
  get: {properties_: function (s) { return com(PROPERTIES, s); }},
  call: {spawninstance_: function (s) { return com(INPUT, {table: {}, types: s.types}); }}};
var METHOD = {name: "SWbemMethod",
  get: {inparameters: function (m) { return com(INPUT, {table: {}, types: m.params}); }}};
var METHODS = {name: "SWbemMethodSet",
  call: {item: function (m, name) {
    return com(METHOD, {params: m[find(m, name)]});
  }}};
var CLASS = {name: "SWbemObject (class)",
  get: {methods_: function (c) { return com(METHODS, c.methods); }},
  call: {execmethod_: function (c, method, input) {
    var given = input === undefined || input === null ? {} : (INPUT.held.get(input) || {}).table;
    return com(INPUT, {table: call("wmi.static", c.name, String(method), stringify(given))});
  }}};
var ROW = {name: "SWbemObject",
  get: {properties_: function (r) { return com(PROPERTIES, {table: r.values}); }},
  call: {execmethod_: function (r, method, input) {
    var given = input === undefined || input === null ? {} : (INPUT.held.get(input) || {}).table;
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
