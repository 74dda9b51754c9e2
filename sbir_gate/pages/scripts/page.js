"use strict";
/* What all scripts of a page share: its data, and its state in the address (#metric=...&runs.sort=...). */
const Page = (() => {
  const content = JSON.parse(document.getElementById("page-data").textContent);
  const listeners = [];

  const parameters = () => {
    const text = location.hash.slice(1);
    return new URLSearchParams(text.includes("=") ? text : "");
  };
  const get = (name, fallback = "") => parameters().get(name) ?? fallback;

  /* Change parts of the state; null or "" removes a part. The page stays where it is. */
  const set = (changes) => {
    const found = parameters();
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === "") found.delete(name);
      else found.set(name, value);
    }
    const text = found.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  };

  /* Call `listener` when the address changes by a link, the reader or the back button. */
  const onAddress = (listener) => listeners.push(listener);
  window.addEventListener("hashchange", () => listeners.forEach((listener) => listener()));

  /* Return a new element: properties as they are, attributes where they have a "-", children as text or nodes. */
  const element = (tag, properties = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name.includes("-") || name === "role" || name === "scope") made.setAttribute(name, value);
      else made[name] = value;
    }
    made.append(...children);
    return made;
  };

  /* Call `draw` now, and again when the reader's color scheme changes and for printing. */
  const onScheme = (draw) => {
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    const root = document.documentElement;
    window.addEventListener("beforeprint", () => { root.setAttribute("data-print", ""); draw(); });
    window.addEventListener("afterprint", () => { root.removeAttribute("data-print"); draw(); });
  };

  return { data: content.data, charts: content.charts, get, set, onAddress, onScheme, element };
})();
