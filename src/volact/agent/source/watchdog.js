/*
 * The watchdog: no script can end its own call that never returns.  So this one starts
 * itself again as a worker, which notes each question before it puts it, and the answer.
 * A worker that makes no progress is ended, and the next goes on behind the question that
 * blocked it, as long as there is time.  Where none can be started, this script asks itself.
 */

var BLOCKED = 0x8001011F;
var isWorker = WScript.Arguments.length > 0, resumed = false, over = false;
/* What earlier workers noted: [name] of a question, [name, answer, ms] where one came. */
var notes = {}, newest, unwatched = null, unwritten = "";

/* An antivirus may hold the file for a moment. */
function note(record) {
  var tries, stream;
  unwritten += toJson(record) + ",\n";
  for (tries = 0; isWorker && unwritten; tries++) {
    try {
      stream = files.OpenTextFile(marker, 8, true);
      stream.Write(unwritten);
      stream.Close();
      unwritten = "";
    } catch (error) {
      if (tries > 20) {
        throw error;
      }
      nap(100);
    }
  }
}

/* Whether there are any; a line that was cut off is none. */
function readNotes() {
  var text = readFile(marker, 0), i, list;
  list = eval("[" + text.substr(0, text.lastIndexOf("\n") + 1) + "0]");
  for (i = 0; i < list.length - 1; i++) {
    newest = list[i][0];
    notes[newest] = list[i];
  }
  return list.length > 1;
}

/* A question that is put once, by whichever worker comes to it: name, answer, ms. */
function once(name, question) {
  var record = notes[name], begun = now();
  if (!record && !over) {
    note([name]);
    record = [name, question(), now() - begun];
    /* Written with the next question: nothing in between can block. */
    unwritten = toJson(record) + ",\n";
  }
  return record && record[1] !== undefined ? record
    : [name, unreadable(record ? BLOCKED : TIMED_OUT)];
}

function isBlocked(name) {
  return notes[name] && notes[name].length < 2;
}

/* What was ended; unreadable where nothing watches. */
function blockedFact() {
  var list = [], name;
  for (name in notes) {
    if (isBlocked(name)) {
      list.push(name.replace(/^\d+ /, ""));
    }
  }
  return unwatched || list;
}

/*
 * Waits for a worker as long as it makes progress: each question may take a share of the
 * time that is left.  A clock that is set meanwhile counts for a second at most.
 */
function awaitWorker(worker, end, share) {
  var until = end, size, seen;
  while (!worker.Status && spent < until) {
    seen = ask(function () {
      return files.GetFile(marker).Size;
    });
    if (seen !== size) {
      size = seen;
      until = Math.min(end, spent + Math.max((end - spent) * share, end / 10));
    }
    nap(100);
    spent += Math.min(Math.max(now() - spanStart, 50), 1000);
    spanStart = now();
  }
  if (!worker.Status) {
    worker.Terminate();
    nap(500);
  }
}

/*
 * What a worker said: ["said", line, exit code].  Null for a worker, and where this script
 * has to answer: alone, or out of the notes when the time is over.
 */
function watch() {
  var end = BUDGET_MS * 1.5, turn, why, made = files.FileExists(marker);
  if (isWorker) {
    spent = Number(WScript.Arguments.Item(0));
    BUDGET_MS += spent;
    resumed = readNotes() || spent > 0;
    note(["begun", 0]);
    /* The first question of all is one to WMI. */
    wmiFailure = isBlocked("checks") ? failure(BLOCKED) : null;
    return null;
  }
  for (turn = 0; turn < 9 && spent < end; turn++) {
    why = ask(function () {
      /* Sysnative is there for a 32-bit cmd.exe, not for the script host that it started. */
      awaitWorker(shell.Exec(expanded("%run% ").replace(/sysnative/i, "System32") + spent), end,
        REQUEST.steps && !turn ? 0.8 : 0.5);
    });
    if (made && !files.FileExists(marker)) {
      /* It was removed, and with it what a worker has begun: no step is begun again. */
      resumed = true;
      break;
    }
    resumed = files.FileExists(marker) && readNotes();
    if (notes.said || !resumed) {
      unwatched = why || unreadable(FAIL);
      return notes.said;
    }
  }
  over = true;
  /* A question that had little time left is late; a step is not known all the same. */
  notes[/ /.test(newest) ? "" : newest] = null;
  return null;
}
