/*
 * What the lab's prelude uses and an engine of ECMAScript 5 does not have: enough of Proxy
 * and WeakMap, substr, and dates as HTTP writes them.  `spellings` are the members of COM objects
 * that the script names; without a Proxy each becomes a property.
 */
function installShims(global, spellings) {
  var parse = Date.parse, define = Object.defineProperty, create = Object.create;
  var shape = {}, i;
  var months = "JanFebMarAprMayJunJulAugSepOctNovDec";

  if (typeof WeakMap === "undefined") {
    global.WeakMap = function () {
      var keys = [], values = [];
      this.set = function (key, value) {
        keys.push(key);
        values.push(value);
      };
      this.get = function (key) {
        var i = keys.length - 1;
        while (i >= 0 && keys[i] !== key) {
          i--;
        }
        return values[i];
      };
    };
  }

  if (typeof Proxy === "undefined") {
    for (i = 0; i < spellings.length; i++) {
      member(spellings[i]);
    }
    global.Proxy = function (target, handler) {
      return create(shape, {
        "target of the shim": {value: target}, "handler of the shim": {value: handler}
      });
    };
  }

  function member(name) {
    define(shape, name, {
      get: function () {
        return this["handler of the shim"].get(this["target of the shim"], name);
      },
      set: function (value) {
        this["handler of the shim"].set(this["target of the shim"], name, value);
      }
    });
  }

  if (!String.prototype.substr) {
    String.prototype.substr = function (start, length) {
      return this.slice(start, length === undefined ? this.length : start + length);
    };
  }

  Date.parse = function (text) {
    var part = /^\w+, (\d+) (\w+) (\d+) (\d+):(\d+):(\d+) GMT$/.exec(text);
    return part ? Date.UTC(Number(part[3]), months.indexOf(part[2]) / 3, Number(part[1]),
      Number(part[4]), Number(part[5]), Number(part[6])) : parse(text);
  };
}
