/*
 * Windows services: what they are, and starting and stopping them.
 */

/* What Win32_Service methods return, from 0 on, as Win32 codes. */
var SERVICE_CODES = [0, 50, 5, 1051, 1052, 1061, 1062, 1053, 0, 3, 1056, 1055, 1075, 1068, 1058,
  1069, 1072, 1054, 0, 0, 0, 87, 1057, 0, 1056];

var MODES = {2: "Auto", 3: "Manual", 4: "Disabled"};

/*
 * Only the system may configure Schedule; an administrator may write its key, which Windows
 * reads when it starts.  So what the key says is told of it.
 */
function startMode(name, mode) {
  return name === "Schedule" && MODES[readValue(SERVICES + name + "\\Start")] || mode;
}

/* The service as it is now, or null when there is none of that name. */
function findService(name) {
  var object;
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) {
    throw failure(BAD_PARAMETER);
  }
  try {
    object = wmi().Get("Win32_Service.Name='" + name + "'");
    return {object: object, state: String(property(object, "State")),
      start: startMode(name, String(property(object, "StartMode")))};
  } catch (error) {
    if (hresultOf(error) === NOT_FOUND) {
      return null;
    }
    throw error;
  }
}

function serviceView(service) {
  return service ? {state: service.state, start: service.start} : {state: null, start: null};
}

function control(service, method, fine) {
  var result = asNumber(property(service.object.ExecMethod_(method), "ReturnValue") || 0);
  if (result !== 0 && !includes(fine, result)) {
    throw failure(SERVICE_CODES[result] ? 0x80070000 + SERVICE_CODES[result] : FAIL);
  }
}

/*
 * Waits for a state, half a minute at most; what the service is then.  Counted,
 * not timed: a time service that starts may set the clock.
 */
function awaitState(name, state) {
  var turns, service = findService(name);
  for (turns = 0; turns < 60 && service && service.state !== state; turns++) {
    nap(500);
    service = findService(name);
  }
  return service;
}

/* What depends on slsvc and was stopped for it.  10: it runs already. */
var stoppedFirst = null;

function startService(name) {
  var service = findService(name);
  if (service.state !== "Running") {
    if (service.state !== "Start Pending") {
      control(service, "StartService", [10]);
    }
    service = awaitState(name, "Running");
  }
  if (stoppedFirst) {
    ask(function () {
      control(stoppedFirst, "StartService", [10]);
    });
  }
  return service;
}

function stopOne(name) {
  var service = findService(name);
  if (service.state !== "Stopped") {
    if (service.state !== "Stop Pending") {
      /* 6: it has stopped by itself, as the licensing service does when it is idle. */
      control(service, "StopService", [5, 6]);
    }
    service = awaitState(name, "Stopped");
  }
  return service;
}

/* The licensing service of 2008 does not stop before its notifier does. */
function stopService(name) {
  var user = findService("SLUINotify");
  if (user && user.state === "Running") {
    stoppedFirst = user;
    stopOne("SLUINotify");
  }
  return stopOne(name);
}
