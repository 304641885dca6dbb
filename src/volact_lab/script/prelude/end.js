/*
 * What a script finds is complete, the bridge is hidden.  The value of the
 * whole prelude is a function that tells whether a script left everything as
 * it found it, so that the next one may use the same engine.
 */

/* The literal that was taken out of the script (source.py). */
global.__literal = function () { return parse(json()); };
delete global.__host;

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

/* The name of what was changed, else "". */
return function () {
  var now = inventory(), i;
  for (i = 0; i < now.length || i < clean.length; i++) {
    if (now[i] !== clean[i] && !(now[i] !== now[i] && clean[i] !== clean[i])) {
      return String(now[i - i % 2] || "a name");
    }
  }
  return "";
};
