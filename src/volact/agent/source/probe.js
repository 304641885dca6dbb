/*
 * probe: facts, and nothing is changed.
 */

WScript.Quit(main(function () {
  return undefined;
}));
