"use strict";
(() => {
  document.documentElement.classList.add("scripted");
  const holder = document.getElementById("rows");
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const part = shown.dataset.part;
  const chips = [...document.querySelectorAll(".chip")];
  const rows = [...holder.children].map((node, at) => ({
    node, at,
    words: node.dataset.words,
    verdict: node.classList[1],
    name: node.querySelector("b").textContent,
    days: node.dataset.days === "" ? Infinity : Number(node.dataset.days),
    os: node.querySelector(".os").textContent,
    cause: node.querySelector(".why").textContent,
  }));
  const text = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const orders = {
    worst: (a, b) => a.at - b.at,
    name: (a, b) => text.compare(a.name, b.name),
    days: (a, b) => (a.days === b.days ? a.at - b.at : a.days - b.days),
    os: (a, b) => text.compare(a.os, b.os) || a.at - b.at,
    cause: (a, b) => Number(!a.cause) - Number(!b.cause) || text.compare(a.cause, b.cause) || a.at - b.at,
  };
  const filter = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = chips.filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.verdict);
    let count = 0;
    for (const row of rows) {
      const fits = (!verdicts.length || verdicts.includes(row.verdict)) && wanted.every((word) => row.words.includes(word));
      if (row.node.hidden === fits) row.node.hidden = !fits;
      count += fits;
    }
    shown.textContent = count === rows.length ? `${count}` : part.replace("{some}", count).replace("{all}", rows.length);
    document.getElementById("nothing").hidden = count > 0;
  };
  const open = () => {
    const node = document.getElementById(location.hash.slice(1));
    if (node && holder.contains(node)) {
      node.hidden = false;
      node.open = true;
      node.scrollIntoView({ block: "center" });
    }
  };
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, rows.length > 2000 ? 120 : 0);
  });
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.ariaPressed = chip.ariaPressed === "true" ? "false" : "true";
      filter();
    });
  }
  document.getElementById("sort").addEventListener("change", (event) => {
    rows.sort(orders[event.target.value]);
    const sorted = document.createDocumentFragment();
    holder.replaceChildren(); // moving ten thousand nodes is quick only outside the page
    for (const row of rows) sorted.append(row.node);
    holder.append(sorted);
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.previousElementSibling.textContent);
      button.textContent = button.dataset.copied;
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = button.dataset.selected;
    }
    setTimeout(() => { button.textContent = button.dataset.copy; }, 1500);
  });
  addEventListener("hashchange", open);
  filter();
  open();
})();
