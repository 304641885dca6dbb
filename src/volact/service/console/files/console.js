"use strict";
(() => {
  const root = document.documentElement, body = document.body;
  root.classList.add("scripted");

  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const text = button.previousElementSibling, word = button.textContent;
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = body.dataset.copied;
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = body.dataset.selected;
    }
    setTimeout(() => { button.textContent = word; }, 1500);
  });

  // A list that is chosen from asks by itself; without JavaScript there is the button.
  for (const select of document.querySelectorAll(".filters[method=get] select")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
  for (const all of document.querySelectorAll("[data-all]")) {
    const boxes = all.closest("fieldset").querySelectorAll("[name]");
    all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; });
  }

  // A second click while a form is on its way sends nothing; the service does it once anyway.
  // Nothing tells that the browser's Stop ended the sending, so the form is alive again soon.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 5000);
  });
  addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });

  const keys = document.getElementById("keys");
  const lines = [...document.querySelectorAll("[data-line] th a, .card h3 a")];
  const step = (by) => {
    const next = lines[lines.indexOf(document.activeElement) + by] || (by > 0 && lines[0]);
    if (next) next.focus();
  };
  let going = 0;
  const typed = {
    "/": () => { const field = document.querySelector("[type=search]"); if (field) field.select(); else location.assign("/servers"); },
    j: () => step(1),
    k: () => step(-1),
    g: () => { going = Date.now(); },
    "?": () => { if (keys) keys.open ? keys.close() : keys.showModal(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const place = Date.now() - going < 1500 && /^[a-z]$/.test(event.key) && document.querySelector(`[data-go=${event.key}]`);
    const act = place ? () => place.click() : typed[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  // A run that goes on: the server sends its progress, ready to be shown.
  const live = document.querySelector("[data-events]");
  if (live) {
    let source = null;
    const close = () => { if (source) source.close(); source = null; };
    const reload = async () => {
      const answer = await fetch(location.href).catch(() => ({ ok: false }));
      answer.ok ? location.reload() : setTimeout(reload, 5000);
    };
    const open = () => {
      if (source || document.hidden) return;
      source = new EventSource(live.dataset.events);
      source.addEventListener("progress", (event) => { live.innerHTML = event.data; });
      source.addEventListener("end", () => { close(); location.reload(); });
      // An answer that is no stream, as a proxy's while the service starts, ends it for good.
      source.addEventListener("error", (event) => {
        if (event.target.readyState === EventSource.CLOSED) setTimeout(reload, 5000);
      });
    };
    // Browsers have six connections to a host by HTTP/1.1, and a stream holds one.
    document.addEventListener("visibilitychange", () => { document.hidden ? close() : open(); });
    addEventListener("pagehide", close);
    addEventListener("pageshow", open);
    open();
  }
})();
