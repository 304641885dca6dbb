/*
 * Restoring a KMS host as it was, reachable or not: the plan of an undo shows
 * where that leads.
 */

STEPS["restore-kms-host"] = function (step) {
  return putBack(function () {
    return hostView(kmsLayer(step));
  }, function (view) {
    return view.host === step.host;
  }, function (view) {
    return includes(step.expect, view.host);
  }, function () {
    return putHostBack(kmsLayer(step), step);
  });
};
