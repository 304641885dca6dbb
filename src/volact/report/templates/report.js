"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const CHUNK = 100, FULL = 500;
  const HEAD = /^<details class="row ([\w-]+)" id="(\w+)" data-n="([^"]*)" data-p="([^"]*)" data-r="([^"]*)" data-d="([^"]*)" data-f="([^"]*)" data-c="([^"]*)"/;
  const KMS = /<span class="kms">([^<]*)</;
  // Remedies and commands are the same on many servers: a search means what is there.
  const UNSEARCHED = /<(?:p class="note|div class="next).*?<\/(?:p|div)>|<[^>]*>/g;
  const NAMED = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" };
  const MEANT = Object.fromEntries(Object.entries(NAMED).map(([char, name]) => [name, char]));
  const escaped = (text) => text.replace(/[&<>"']/g, (char) => NAMED[char]);
  const plain = (text) => text.replace(/&(?:amp|lt|gt|#34|#39);/g, (name) => MEANT[name]);
  const ordered = (text) => text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, "0"));

  // The servers stand in the page once, as text: each becomes part of it when it is shown.
  const source = by("data");
  const rows = source.textContent.split("\n").filter((line) => line.startsWith("<details")).map((html, at) => {
    const [, verdict, id, name, provider, release, days, found, cause] = HEAD.exec(html);
    return { html, at, verdict, id, name, provider, release, days, cause, found: found.split(" "), words: "" };
  });
  source.remove();
  document.documentElement.classList.add("scripted");

  const list = by("list"), holder = by("rows"), search = by("search"), counter = by("shown"), sort = by("sort");
  const chips = [...document.querySelectorAll(".chip")];
  const selects = [...document.querySelectorAll(".by")];
  const heads = [...document.querySelectorAll("[data-sort]")];
  const part = counter.dataset.part;
  const words = (row) => (row.words ||= row.html.replace(UNSEARCHED, " ").toLowerCase());

  // Orders are made when they are first asked for.
  const keys = {
    name: (row) => ordered(row.name),
    days: (row) => (row.days === "" ? Infinity : Number(row.days)),
    os: (row) => ordered(row.release) || "\uffff",
    kms: (row) => ordered(KMS.exec(row.html)[1]) || "\uffff",
    cause: (row) => row.cause || "\uffff",
  };
  const orders = { worst: rows };
  const order = (name) => (orders[name] ||= rows.map((row) => [keys[name](row), row])
    .sort(([a, one], [b, other]) => (a < b ? -1 : a > b ? 1 : one.at - other.at)).map(([, row]) => row));

  let view = [], drawn = 0, only = "", backwards = false;
  const more = (count = CHUNK) => {
    const next = view.slice(drawn, drawn + count);
    holder.insertAdjacentHTML("beforeend", next.map((row) => row.html).join(""));
    drawn += next.length;
    by("end").hidden = drawn >= view.length;
  };
  const redraw = () => {
    holder.textContent = "";
    drawn = 0;
    more();
    counter.textContent = view.length === rows.length ? `${rows.length}` : part.replace("{some}", view.length).replace("{all}", rows.length);
    by("nothing").hidden = view.length > 0;
    for (const head of heads) {
      const chosen = head.dataset.sort === sort.value;
      head.ariaPressed = `${chosen}`;
      head.classList.toggle("up", chosen && backwards);
    }
  };
  const apply = () => {
    const wanted = escaped(search.value.toLowerCase()).split(/\s+/).filter(Boolean);
    const verdicts = chips.filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.verdict);
    const chosen = selects.filter((select) => select.value).map((select) => [select.dataset.by, select.value]);
    view = order(sort.value).filter((row) => (only ? row.id === only
      : (!verdicts.length || verdicts.includes(row.verdict))
      && chosen.every(([name, value]) => (name === "found" ? row.found.includes(value) : row[name] === value))
      && wanted.every((word) => words(row).includes(word))));
    if (backwards) view.reverse();
    redraw();
  };
  const reset = () => {
    only = search.value = "";
    for (const chip of chips) chip.ariaPressed = "false";
    for (const select of selects) select.value = "";
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    apply();
  };
  const openNamed = () => {
    const id = location.hash.slice(1);
    if (!rows.some((row) => row.id === id)) return;
    only = id;
    apply();
    holder.firstElementChild.open = true;
    list.scrollIntoView();
  };

  for (const select of selects) {
    const counts = new Map();
    const name = select.dataset.by;
    for (const row of rows) for (const value of [row[name]].flat()) if (value) counts.set(value, (counts.get(value) || 0) + 1);
    for (const [value, count] of [...counts].sort(([a], [b]) => (ordered(a) < ordered(b) ? -1 : 1))) {
      select.append(new Option(`${plain(value).replace(/^error:/, "")} (${count})`, value));
    }
    if (counts.size < (name === "found" ? 1 : 2)) select.parentElement.hidden = true;
    select.addEventListener("change", () => { only = ""; apply(); });
  }
  let frame = 0;
  search.addEventListener("input", () => {
    only = "";
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(apply);
  });
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      only = "";
      chip.ariaPressed = chip.ariaPressed === "true" ? "false" : "true";
      apply();
    });
  }
  const sortBy = (name, flip) => {
    backwards = flip && sort.value === name ? !backwards : false;
    sort.value = name;
    apply();
  };
  sort.addEventListener("change", () => { backwards = false; apply(); });
  for (const head of heads) head.addEventListener("click", () => sortBy(head.dataset.sort, true));
  by("more").addEventListener("click", () => more());
  by("reset").addEventListener("click", reset);

  document.addEventListener("click", async (event) => {
    const pick = event.target.closest(".pick");
    if (pick) {
      reset();
      for (const chip of chips) if (chip.dataset.verdict === pick.dataset.verdict) chip.ariaPressed = "true";
      selects.find((select) => select.dataset.by === "found").value = escaped(pick.dataset.finding);
      apply();
      list.scrollIntoView();
      return;
    }
    const button = event.target.closest(".copy");
    if (!button) return;
    const text = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = list.dataset.copied;
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = list.dataset.selected;
    }
    setTimeout(() => { button.textContent = list.dataset.copy; }, 1500);
  });

  const step = (by_) => {
    const here = document.activeElement.closest(".row");
    if (by_ > 0 && (!here || !here.nextElementSibling)) more();
    const next = here ? (by_ > 0 ? here.nextElementSibling : here.previousElementSibling) : holder.firstElementChild;
    if (!next) return;
    next.firstElementChild.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const typed = {
    "/": () => { search.focus(); search.select(); list.scrollIntoView(); },
    j: () => step(1),
    k: () => step(-1),
    s: () => sortBy(sort.options[(sort.selectedIndex + 1) % sort.options.length].value, false),
    "?": () => { by("keys").open = !by("keys").open; },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const field = event.target.closest("input, select");
    const inRow = event.target.closest(".row summary");
    let act = field ? null : typed[event.key];
    if (event.key === "Escape") act = () => { by("keys").open = false; reset(); if (field) field.blur(); };
    else if (inRow && event.key === "ArrowDown") act = typed.j;
    else if (inRow && event.key === "ArrowUp") act = typed.k;
    else if (field === search && event.key === "ArrowDown") act = () => { holder.firstElementChild?.firstElementChild.focus(); };
    else if (!field && /^[1-5]$/.test(event.key)) act = () => chips[Number(event.key) - 1]?.click();
    if (!act) return;
    event.preventDefault();
    act();
  });

  const watcher = new IntersectionObserver(([seen]) => {
    if (!seen.isIntersecting) return;
    more();
    watcher.unobserve(by("end"));
    watcher.observe(by("end")); // says again whether the end is near
  }, { rootMargin: "1200px" });
  watcher.observe(by("end"));
  addEventListener("hashchange", openNamed);
  // Paper has no end that comes near: every server, and above a number only their names,
  // because laying out ten thousand rows in pages takes minutes.
  addEventListener("beforeprint", () => {
    if (view.length <= FULL) return more(Infinity);
    const groups = Map.groupBy(view, (row) => `${row.verdict} ${row.cause}`);
    const word = (verdict) => chips.find((chip) => chip.dataset.verdict === verdict).dataset.word;
    by("printed").insertAdjacentHTML("beforeend", [...groups.values()].map((group) =>
      `<h3>${word(group[0].verdict)} ${group[0].cause} <small>${group.length}</small></h3><p>${group.map((row) => row.name).join(", ")}</p>`).join(""));
    list.classList.add("brief");
  });
  addEventListener("afterprint", () => {
    list.classList.remove("brief");
    for (const part of [...by("printed").children].slice(1)) part.remove();
  });
  apply();
  openNamed();
  // Made ready while nothing else happens, so that the first letter finds it done.
  const prepare = (at) => requestIdleCallback?.((idle) => {
    while (at < rows.length && idle.timeRemaining() > 2) words(rows[at++]);
    if (at < rows.length) prepare(at);
  });
  if (window.requestIdleCallback) prepare(0);
})();
