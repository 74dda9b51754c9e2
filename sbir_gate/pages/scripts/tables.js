"use strict";
/* Tables that can be sorted and filtered, by mouse and keyboard; their state is in the address. */
const Tables = (() => {
  const element = Page.element;
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  const key = (cell) => (cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value));
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return order.compare(a, b);
  };

  const accepting = new Map(), filtering = new Map();

  const start = (box) => {
    const table = box.querySelector("table");
    if (!table) return;
    const name = box.dataset.table;
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const rows = [...body.rows];
    let texts = null;
    const filters = [];
    let count = null;

    const sort = (column, direction) => {
      heads.forEach((head, place) => {
        if (place === column) head.setAttribute("aria-sort", direction);
        else head.removeAttribute("aria-sort");
      });
      const sign = direction === "descending" ? -1 : 1;
      const keys = new Map(rows.map((row, place) => [row, [key(row.cells[column]), place]]));
      const sorted = [...rows].sort((a, b) => {
        const [left, right] = [keys.get(a), keys.get(b)];
        return sign * compare(left[0], right[0]) || left[1] - right[1];
      });
      body.append(...sorted);
    };

    const filter = () => {
      let shown = 0;
      const accepts = accepting.get(name) ?? (() => true);
      texts ??= rows.map((row) => row.textContent.toLowerCase());
      rows.forEach((row, place) => {
        row.hidden = !accepts(place) || !filters.every((filtered) => filtered(row, texts[place]));
        shown += !row.hidden;
      });
      if (count) {
        const total = rows.length.toLocaleString("en-US");
        count.textContent = `${shown.toLocaleString("en-US")} of ${total} rows`;
      }
    };

    heads.forEach((head, column) => {
      const button = element("button", { type: "button" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.classList.contains("number") ? "descending" : "ascending";
        const other = first === "ascending" ? "descending" : "ascending";
        const direction = head.getAttribute("aria-sort") === first ? other : first;
        sort(column, direction);
        Page.set({ [`${name}.sort`]: `${column}.${direction}` });
      });
    });

    const inputs = [];
    const controls = element("div", { className: "controls" });
    const control = (label, input, part, filtered) => {
      input.addEventListener("input", () => { Page.set({ [part]: input.value }); filter(); });
      controls.append(element("label", {}, label, input));
      filters.push(filtered);
      inputs.push([input, part]);
    };
    if (box.hasAttribute("data-filter")) {
      const search = element("input", { type: "search", autocomplete: "off", spellcheck: false });
      control("Search", search, `${name}.q`, (row, text) => text.includes(search.value.trim().toLowerCase()));
    }
    heads.forEach((head, column) => {
      if (!head.hasAttribute("data-choices")) return;
      const choices = [...new Set(rows.map((row) => row.cells[column].textContent.trim()))].sort(order.compare);
      const select = element("select", {}, element("option", { value: "" }, "All"));
      select.append(...choices.map((choice) => element("option", { value: choice }, choice)));
      const chosen = (row) => !select.value || row.cells[column].textContent.trim() === select.value;
      control(head.textContent, select, `${name}.${column}`, chosen);
    });
    if (filters.length) {
      count = element("output", { role: "status" });
      controls.append(count);
      box.prepend(controls);
    }

    const restore = () => {
      inputs.forEach(([input, part]) => { input.value = Page.get(part); });
      const [column, direction] = Page.get(`${name}.sort`).split(".");
      const known = direction === "ascending" || direction === "descending";
      if (known && heads[column]) sort(Number(column), direction);
      filter();
    };
    restore();
    Page.onAddress(restore);
    filtering.set(name, filter);
  };

  /* After the scripts: what a script of the page draws comes first. */
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-table]").forEach(start));
  /* Show only the rows of a table that a script accepts too, by their places in the order of the page. */
  const narrow = (name, accepts) => { accepting.set(name, accepts); filtering.get(name)?.(); };

  return { start, narrow };
})();
