/*
 * One run at a time: the lock that stands while steps run.  It is written under
 * another name and moved to its own, which only one can do; so it is never
 * half there.  The batch part takes it away when this script was ended.
 */

var ALREADY_THERE = [0x800A003A, 0x80070050, 0x800700B7];

var taken = null;

/* Only administrators may write there. */
function lockPath() {
  return expanded("%SystemRoot%") + "\\volact.lock";
}

function draftPath() {
  return lockPath() + "." + REQUEST.id;
}

/* Its owner, its beginning and end by volact's clock, and this clock's time. */
function lockLine() {
  var lock = REQUEST.lock;
  return ["VOLACTLOCK1", REQUEST.id, lock.run, lock.since, lock.until, now(), lock.who].join(" ");
}

/* The content of a lock, or null for anything else. */
function readLock(text) {
  var match = /^VOLACTLOCK1 [0-9a-f]{16} (\S{1,64}) (\d{1,15}) (\d{1,15}) (\d{1,15}) ([ -~]{0,80})\s*$/
    .exec(text);
  return match && {run: match[1], since: Number(match[2]), until: Number(match[3]),
    at: Number(match[4]), who: match[5]};
}

/*
 * Over when it is over by both clocks: that of the asking run, which no step sets, and
 * this server's own.  A clock that stands before the beginning says nothing.
 */
function isHeld(lock, asked, here) {
  var passed = here - lock.at, life = lock.until - lock.since;
  return asked >= lock.since && asked < lock.until || passed >= 0 && passed < life;
}

/* The text of the lock, or null when it is gone by now. */
function lockText(path) {
  try {
    return readFile(path, 0);
  } catch (error) {
    if (!files.FileExists(path)) {
      return null;
    }
    throw error;
  }
}

function writeDraft(text) {
  var stream = files.CreateTextFile(draftPath(), true, false);
  stream.Write(text);
  stream.Close();
}

/* Whether the file was moved; false when there is one under that name. */
function movedTo(from, to) {
  try {
    files.MoveFile(from, to);
    return true;
  } catch (error) {
    if (files.FileExists(to) || includes(ALREADY_THERE, hresultOf(error))) {
      return false;
    }
    throw error;
  }
}

/* Removes a dead lock, and no other that came in its place meanwhile. */
function putAside(seen) {
  var aside = draftPath();
  try {
    files.MoveFile(lockPath(), aside);
  } catch (error) {
    return;
  }
  if (lockText(aside) !== seen) {
    movedTo(aside, lockPath());
  }
  removeFile(aside);
}

function busyWith(lock) {
  var error = failure(0x800700AA);
  error.busy = lock.run + " " + lock.until + " " + lock.who;
  return error;
}

/* Once: whether the lock is ours now. */
function tryLock(line) {
  var seen, lock;
  writeDraft(line);
  if (movedTo(draftPath(), lockPath())) {
    taken = line;
    return true;
  }
  removeFile(draftPath());
  seen = lockText(lockPath());
  lock = seen === null ? null : readLock(seen);
  if (lock && isHeld(lock, REQUEST.lock.since, now())) {
    throw busyWith(lock);
  }
  if (seen !== null) {
    putAside(seen);
  }
  return false;
}

/* A file that comes or goes at this very moment fails in many ways: that is tried again. */
function takeLock() {
  var tries;
  for (tries = 0; REQUEST.lock; tries++) {
    try {
      if (tryLock(lockLine())) {
        return;
      }
      if (tries > 3) {
        throw busyWith({run: "?", until: REQUEST.lock.since, who: "?"});
      }
    } catch (error) {
      removeFile(draftPath());
      if (error.busy || tries > 3) {
        error.message = "the server could not be locked";
        throw error;
      }
      nap(100);
    }
  }
}

/* Ours only: one that was taken over is another's. */
function dropLock() {
  if (taken !== null && ask(function () { return lockText(lockPath()); }) === taken) {
    removeFile(lockPath());
  }
  taken = null;
}
