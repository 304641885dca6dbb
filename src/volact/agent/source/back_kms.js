/*
 * Putting a KMS host back as it was, reachable or not: whoever undoes a run has
 * seen where that leads.
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

/* The name as it was spelt; a port that was not set is not set again. */
function putHostBack(layer, step) {
  if (step.host === null) {
    clearKmsName(layer);
  } else {
    setKmsName(layer, step.name || splitHost(step.host).name);
  }
  if (step.port) {
    setKmsPort(layer, step.port);
  } else {
    clearKmsPort(layer);
  }
  return null;
}
