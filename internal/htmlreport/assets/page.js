"use strict";
(() => {
  const find = (selector, from = document) => [...from.querySelectorAll(selector)];
  const order = { fail: 0, inconclusive: 1, pass: 2, skipped: 3 };

  // filter shows the comparisons that the form asks for, in the order it asks for.
  const filter = () => {
    const form = document.getElementById("filter"), list = document.getElementById("list");
    if (!form || !list) return;
    const { arm, path, outcome, order: by } = Object.fromEntries(new FormData(form));
    const all = find(":scope > article", list);
    let shown = 0;
    for (const a of all) {
      const d = a.dataset;
      a.hidden = Boolean((arm && !d.arms.includes(` ${arm} `)) || (path && d.path !== path) || (outcome && d.outcome !== outcome));
      shown += a.hidden ? 0 : 1;
    }
    const rank = (a) => order[a.dataset.outcome] ?? 4;
    all.sort((a, b) => (by === "worst" ? rank(a) - rank(b) : by === "name" ? a.dataset.name.localeCompare(b.dataset.name) : 0) || a.dataset.place - b.dataset.place);
    if (all.some((a, i) => a !== list.children[i])) list.append(...all);
    for (const row of find("tr[data-arm]")) row.classList.toggle("chosen", Boolean(arm) && row.dataset.arm === arm);
    const said = document.getElementById("shown");
    said.textContent = said.dataset.text.replace("{shown}", shown).replace("{all}", all.length);
  };

  // sort puts a table's lines in the order of a column; again, the other way round.
  const sort = (th) => {
    const table = th.closest("table"), column = th.cellIndex;
    const up = th.getAttribute("aria-sort") !== "ascending";
    for (const other of find("th[aria-sort]", table)) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)], [m, n] = [parseFloat(x), parseFloat(y)];
      if (Number.isNaN(m) !== Number.isNaN(n)) return Number.isNaN(m) ? 1 : -1; // what is absent comes last
      return (up ? 1 : -1) * (Number.isNaN(m) ? x.localeCompare(y) : m - n);
    };
    const body = table.tBodies[0];
    body.append(...[...body.rows].sort(compare));
  };

  // reveal opens what a link leads to.
  const reveal = () => {
    let target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!target) return;
    if (target.hidden) { document.getElementById("filter").reset(); filter(); }
    for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    target.scrollIntoView();
  };

  const begin = () => {
    const form = document.getElementById("filter");
    if (form) {
      form.hidden = false;
      form.addEventListener("change", filter);
      form.addEventListener("reset", () => setTimeout(filter));
      form.addEventListener("submit", (e) => e.preventDefault());
      filter();
    }
    for (const th of find("table.sortable thead th")) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...th.childNodes);
      button.addEventListener("click", () => sort(th));
      th.append(button);
    }
  };

  // renew takes a page that is served anew and keeps what the reader chose.
  const renew = async () => {
    const answer = await fetch(location.pathname + location.search);
    if (!answer.ok) return true; // the next time, perhaps
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const form = document.getElementById("filter");
    const chosen = form ? [...new FormData(form)] : [], open = find("details[open][id]").map((d) => d.id);
    for (const part of ["header", "nav", "main"]) {
      const fresh = next.querySelector(part);
      if (fresh) document.querySelector(part).replaceWith(fresh);
    }
    for (const [name, value] of chosen) document.getElementById("filter").elements[name].value = value;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    begin();
    return document.getElementById("live");
  };

  begin();
  reveal();
  addEventListener("hashchange", reveal);
  const live = document.getElementById("live");
  if (live) {
    const news = new EventSource(live.dataset.events);
    let last = Promise.resolve(); // one after the other, so that no older page comes last
    news.addEventListener("changed", () => { last = last.then(renew).then((goesOn) => goesOn || news.close()); });
  }
})();
