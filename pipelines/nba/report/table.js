"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const name = (row) => row.cells[0].firstChild.textContent;
  const game = (row) => row.cells[0].children[0].textContent;
  const value = (row, at) => {
    const cell = row.cells[at];
    return "order" in cell.dataset ? Number(cell.dataset.order) : name(row);
  };
  const compare = (one, other) => (typeof one === "number" ? one - other : one.localeCompare(other));
  [...table.tHead.rows[0].cells].forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const numeric = head.classList.contains("number");
      const now = head.getAttribute("aria-sort");
      const up = now ? now === "descending" : !numeric;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].sort((one, other) => compare(value(one, at), value(other, at)) * (up ? 1 : -1));
      body.append(...rows);
    });
  });
  table.closest(".scroll").classList.add("tall");
  const form = document.querySelector(".filter");
  const find = document.getElementById("find");
  const team = document.getElementById("team");
  const found = document.getElementById("found");
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const narrow = () => {
    let shown = 0;
    for (const row of body.rows) {
      const named = plain(name(row)).includes(plain(find.value.trim()));
      row.hidden = !(named && (!team.value || game(row).startsWith(team.value + " ")));
      if (!row.hidden) shown += 1;
    }
    found.textContent = `${shown} of ${body.rows.length} players`;
  };
  form.hidden = false;
  form.addEventListener("input", narrow);
  form.addEventListener("submit", (event) => event.preventDefault());
  narrow();
}
