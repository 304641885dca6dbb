/*
 * How a setting is put back as it was before a run: only while it still is as
 * that run left it.  A later change stays, and is reported.
 */

/*
 * read() shows the setting, isBack(view) whether it is as it was, isOurs(view)
 * whether it is as the run left it; change(view) gives an HRESULT or null.
 */
function putBack(read, isBack, isOurs, change) {
  var before = read(), hresult, after;
  if (isBack(before)) {
    return unchanged(before);
  }
  if (!isOurs(before)) {
    return refused("changed since; left unchanged", before);
  }
  hresult = failureOf(change, before);
  after = read();
  return isBack(after) ? result(true, true, before, after)
    : failed(hresult, before, after, "the value is not the earlier one");
}

/* The setting is read again even when the change fails. */
function failureOf(change, view) {
  try {
    return change(view);
  } catch (error) {
    return hresultOf(error);
  }
}

function sameList(one, other) {
  var i;
  for (i = 0; i < one.length; i++) {
    if (one[i] !== other[i]) {
      return false;
    }
  }
  return one.length === other.length;
}

/* A text, or null for none. */
function putValue(path, text) {
  if (text === null) {
    removeValue(path);
  } else {
    writeText(path, text);
  }
}
