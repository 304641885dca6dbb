/*
 * Restoring the time source and what starts Windows Time.  Not in a domain,
 * where both are the domain's.
 */

var TRIGGER_WORDS = {"2/1": "start/networkon", "2/2": "stop/networkoff",
  "3/1": "start/domainjoin", "3/2": "stop/domainleave"};

function outsideOfDomain(step) {
  var role = certainRole();
  return role === 0 || role === 2 ? null
    : refused("a domain member takes its time from the domain", step);
}

/* Exactly the texts that were there: w32tm would write its own flags. */
STEPS["restore-time-source"] = function (step) {
  return outsideOfDomain(timeSource()) || putBack(timeSource, function (view) {
    return view.type === step.type && view.peers === step.peers;
  }, function (view) {
    return some(step.expect, function (one) {
      return view.type === one.type && view.peers === one.peers;
    });
  }, function () {
    var service = findService("W32Time");
    putValue(W32TIME + "Parameters\\Type", step.type);
    putValue(W32TIME + "Parameters\\NtpServer", step.peers);
    return service && service.state === "Running"
      ? runTool("w32tm.exe", "/config /update") : null;
  });
};

function triggerView() {
  return {triggers: timeTriggers()};
}

/* "3/1 3/2" as the words of sc.exe, or what takes all triggers away. */
function triggerWords(triggers) {
  var list = triggers === null ? [] : triggers.split(" "), words = [], i;
  for (i = 0; i < list.length; i++) {
    if (!TRIGGER_WORDS[list[i]]) {
      throw failure(BAD_PARAMETER);
    }
    words.push(TRIGGER_WORDS[list[i]]);
  }
  return words.length ? words.join(" ") : "delete";
}

STEPS["restore-time-trigger"] = function (step) {
  return outsideOfDomain(triggerView()) || putBack(triggerView, function (view) {
    return view.triggers === step.triggers;
  }, function (view) {
    return includes(step.expect, view.triggers);
  }, function () {
    return runTool("sc.exe", "triggerinfo w32time " + triggerWords(step.triggers));
  });
};
