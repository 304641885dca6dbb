/*
 * COM objects: names do not care about case, an unknown member is an error.
 * A kind has get, set and call tables by lower-case name; `self` is the state,
 * found again through `held` where an object is handed back as an argument.
 */
function com(kind, self) {
  var object = new ProxyOf({self: self}, kind.handler || (kind.handler = handlerOf(kind)));
  if (kind.held) {
    kind.held.set(object, self);
  }
  return object;
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
var SAFE_ARRAY = {name: "SafeArray", held: new WeakMap()};

function cell(value) {
  if (value === null || typeof value !== "object") {
    return value;
  }
  if (value.row) {
    return rowOf(value.row);
  }
  return com(SAFE_ARRAY, value);
}

function VBArray(value) {
  var held = SAFE_ARRAY.held.get(value);
  if (!held) {
    throw fault(0x800A1395, "VBArray expected");
  }
  this.lbound = function () { return 0; };
  this.ubound = function () { return (held.bytes === undefined ? held.length : held.bytes) - 1; };
  this.dimensions = function () { return 1; };
  this.toArray = function () {
    if (held.content) {
      return held.content.slice(0);
    }
    if (held.bytes !== undefined) {
      call("lab", "the bytes of a large binary value were read");
    }
    for (var list = [], i = 0; i < held.length; i++) {
      list.push(cell(held[i]));
    }
    return list;
  };
  this.getItem = function (index) { return this.toArray()[index]; };
}
