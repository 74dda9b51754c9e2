"use strict";
/* Decide one award after the other: 1 to 5 a candidate, n none, s skip, u undo, arrows move. Where two reviewers
   disagree, a and b take over one's answer and c both. */
(() => {
  const { tasks, sample, reviewer, labels: given, others: taken, sides, server } = Page.data;
  const done = sides.length ? "settled" : "labelled";
  const KEYS = 5;
  const store = `sbir-gate-label-${sample}`;
  const $ = (id) => document.getElementById(id);
  const { element } = Page;
  const FIELDS = [["name", "name"], ["uei", "UEI"], ["duns", "DUNS"], ["city", "city"], ["state", "state"], ["zip5", "ZIP"]];
  const COLUMNS = ["award_id", "recipient_ids", "reviewer", "decided_on", "certainty", "note"];
  const known = new Set(tasks.map((task) => task.award_id));

  let labels = new Map(Object.entries(given));
  let loadedOthers = new Map();  // labels of awards that are not shown, beside those that the page was made with
  let skipped = new Set();
  let undo = [];
  let at = 0;

  const restore = () => {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(store)); } catch { /* no storage, or not ours: start anew */ }
    if (!kept || typeof kept.labels !== "object") return;
    if (!server) {
      labels = new Map([...labels, ...Object.entries(kept.labels)]);
      loadedOthers = new Map(Object.entries(kept.others ?? {}));
    }
    skipped = new Set(kept.skipped);
    $("label-reviewer").value = kept.reviewer || $("label-reviewer").value;
  };

  const others = () => new Map([...taken.map((label) => [label.award_id, label]), ...loadedOthers]);
  const rows = () => tasks.filter((task) => labels.has(task.award_id)).map((task) => labels.get(task.award_id));

  /* Keep all in the browser; send what changed to the server, which merges it with what other pages changed. */
  const save = (changed = []) => {
    const kept = { labels: Object.fromEntries(labels), others: Object.fromEntries(loadedOthers), skipped: [...skipped],
      reviewer: $("label-reviewer").value };
    try { localStorage.setItem(store, JSON.stringify(kept)); } catch { say("The browser keeps nothing: download the labels."); }
    if (server && changed.length) {
      const made = changed.filter((id) => labels.has(id)).map((id) => labels.get(id));
      const removed = changed.filter((id) => !labels.has(id));
      fetch("labels", { method: "PUT", body: JSON.stringify({ made, removed }) })
        .then((answer) => { if (!answer.ok) throw new Error(String(answer.status)); })
        .catch(() => say("The labels could not be saved to the file: download them."));
    }
  };

  const say = (text) => { $("label-said").textContent = text; };
  const today = () => new Date().toISOString().slice(0, 10);
  /* As csv_text.csv_cell: one line, and no spreadsheet calculates it. */
  const guarded = (text) => text.replace(/[\p{C}\p{Z}]/gu, " ").replace(/(^|;)(?=\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g, "$1'");
  const cell = (text) => (/[",\r\n;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const csv = () => [COLUMNS.join(","), ...[...others().values(), ...rows()].map((label) => COLUMNS.map((column) => {
    const value = column === "recipient_ids" ? label.recipient_ids.join(" ") : String(label[column] ?? "");
    return cell(column === "reviewer" || column === "note" ? guarded(value) : value);
  }).join(","))].join("\n") + "\n";

  const parsed = (text) => {
    const found = [];
    let row = [], value = "", quoted = false;
    for (let place = 0; place < text.length; place += 1) {
      const letter = text[place];
      if (quoted) {
        if (letter !== '"') value += letter;
        else if (text[place + 1] === '"') { value += '"'; place += 1; }
        else quoted = false;
      } else if (letter === '"' && value === "") quoted = true;
      else if (letter === ",") { row.push(value); value = ""; }
      else if (letter === "\n") { row.push(value.replace(/\r$/, "")); found.push(row); row = []; value = ""; }
      else value += letter;
    }
    if (value || row.length) { row.push(value); found.push(row); }
    return found;
  };

  const load = (text) => {
    const [head = [], ...body] = parsed(text.replace(/^\uFEFF/, ""));
    const names = head.map((name) => name.trim().toLowerCase());
    if (!names.includes("award_id") || !names.includes("recipient_ids")) { say("Not a truth.csv: no award_id and recipient_ids."); return; }
    const loaded = [];
    let other = 0;
    for (const cells of body) {
      const label = Object.fromEntries(names.map((name, place) => [name, (cells[place] ?? "").trim()]));
      if (!label.decided_on) delete label.decided_on;
      label.recipient_ids = label.recipient_ids.split(/[\s;]+/).filter(Boolean);
      label.certainty = label.certainty === "likely" ? "likely" : "certain";
      if (!label.award_id) continue;
      if (known.has(label.award_id)) { labels.set(label.award_id, label); skipped.delete(label.award_id); loaded.push(label.award_id); }
      else { other += 1; if (!server) loadedOthers.set(label.award_id, label); }
    }
    save(loaded);
    say(`${loaded.length} labels loaded${other ? `; ${other} of awards not shown here are ${server ? "left out" : "kept in the file"}` : ""}.`);
    next(0);
  };

  const next = (from) => {
    const open = (task) => !labels.has(task.award_id) && !skipped.has(task.award_id);
    const place = tasks.findIndex((task, number) => number >= from && open(task));
    at = place >= 0 ? place : Math.max(0, tasks.findIndex(open));
    draw();
  };

  const decide = (recipient_ids) => {
    const task = tasks[at];
    undo.push([at, labels.get(task.award_id), skipped.has(task.award_id)]);
    skipped.delete(task.award_id);
    labels.set(task.award_id, {
      award_id: task.award_id, recipient_ids, reviewer: $("label-reviewer").value.trim(), decided_on: today(),
      certainty: $("label-likely").checked ? "likely" : "certain", note: $("label-note").value.trim(),
    });
    save([task.award_id]);
    say(`${task.award_id}: ${recipient_ids.join(" ") || "none"}`);
    next(at + 1);
  };

  const skip = () => {
    undo.push([at, labels.get(tasks[at].award_id), skipped.has(tasks[at].award_id)]);
    labels.delete(tasks[at].award_id);
    skipped.add(tasks[at].award_id);
    save([tasks[at].award_id]);
    say(`${tasks[at].award_id}: skipped`);
    next(at + 1);
  };

  const takeBack = () => {
    const last = undo.pop();
    if (!last) { say("Nothing to undo."); return; }
    const [place, label, was] = last;
    const id = tasks[place].award_id;
    if (label) labels.set(id, label); else labels.delete(id);
    if (was) skipped.add(id); else skipped.delete(id);
    at = place;
    save([id]);
    say(`${id}: undone`);
    draw();
  };

  const plain = (text) => text.toUpperCase().replace(/[^\p{L}\p{N}]/gu, "");
  /* A party can have several identifiers: one that both have makes them equal. */
  const same = (key, left, right) => (["uei", "duns"].includes(key)
    ? left.split(/\s+/).some((one) => right.split(/\s+/).includes(one)) : plain(left) === plain(right));

  const facts = (party, other) => element("dl", { className: "label-facts" }, ...FIELDS.filter(([key]) => party[key]).map(([key, title]) => {
    const mark = !other || !other[key] ? "" : same(key, party[key], other[key]) ? "equal" : "differs";
    const value = element("dd", { className: mark }, element("bdi", {}, party[key]));
    if (mark) value.append(element("span", { className: "unseen" }, ` (${mark})`));
    return element("div", {}, element("dt", {}, title), value);
  }));

  const candidate = (found, number, chosen) => {
    const by = tasks[at].answers.flatMap((label, side) => (label.recipient_ids.includes(found.recipient_id) ? [sides[side]] : []));
    const button = element("button", { type: "button", className: "button", "aria-pressed": String(chosen) },
      ...(number ? [element("kbd", {}, String(number)), " "] : []), "this one");
    button.addEventListener("click", () => decide([found.recipient_id]));
    const parts = found.parts.length ? [element("details", {}, element("summary", {}, "Features"),
      element("ul", {}, ...found.parts.map((part) => element("li", {}, part))))] : [];
    return element("li", { className: chosen ? "chosen" : "" },
      element("p", { className: "label-head" }, button, " ", element("code", {}, found.recipient_id),
        ...(by.length ? [" ", element("strong", { dir: "auto" }, by.join(" and "))] : [])), facts(found, tasks[at]), ...parts);
  };

  const answer = (label, side) => {
    const button = element("button", { type: "button", className: "button" }, element("kbd", {}, "ab"[side]), ` ${sides[side]}`);
    button.addEventListener("click", () => decide(label.recipient_ids));
    const names = label.recipient_ids.map((id) => `${shipped.get(id)?.name ?? ""} (${id})`.trim());
    const how = [label.certainty === "likely" ? "only likely" : "certain", label.decided_on].filter(Boolean).join(", ");
    return element("li", {}, element("p", { className: "label-head" }, button, " ", element("span", { dir: "auto" }, names.join(" + ") || "none of these")),
      element("p", { className: "quiet" }, how), ...(label.note ? [element("p", { className: "label-said", dir: "auto" }, label.note)] : []));
  };

  /* What both reviewers name together: several recipients can be one entity. */
  const both = (task) => [...new Set(task.answers.flatMap((label) => label.recipient_ids))];

  /* Whoever chose by a button that is no more goes on at the first candidate. */
  const draw = () => {
    const hadFocus = $("label-tool").contains(document.activeElement);
    show();
    if (hadFocus && !$("label-tool").contains(document.activeElement)) {
      ($("label-candidates").querySelector("button") ?? $("label-none")).focus();
    }
  };

  const show = () => {
    const task = tasks[at];
    $("label-progress").textContent = `${rows().length} of ${tasks.length} ${done}, ${skipped.size} skipped`;
    $("label-bar").value = rows().length;
    if (!task) { $("label-award").replaceChildren(element("p", {}, "Nothing to decide: download truth.csv.")); return; }
    const label = labels.get(task.award_id);
    const chosen = label ? label.recipient_ids : [];
    $("label-award").replaceChildren(element("h3", {}, `Award ${task.award_id}`), facts(task, null),
      element("p", { className: "quiet" }, label ? `Decided: ${chosen.join(" ") || "none"} (${label.certainty})` : skipped.has(task.award_id) ? "Skipped" : "Not decided"));
    $("label-answers").replaceChildren(...task.answers.map(answer));
    const named = both(task);
    $("label-both").hidden = named.length < 2;
    const list = task.candidates.map((found, place) => [found, place < KEYS ? place + 1 : 0])
      .filter(([found, number]) => number || named.includes(found.recipient_id))
      .map(([found, number]) => candidate(found, number, chosen.includes(found.recipient_id)));
    $("label-candidates").replaceChildren(...(list.length ? list : [element("li", {}, "The engine found no candidate. Search below, or press n.")]));
    $("label-note").value = label ? label.note || "" : "";
    $("label-likely").checked = label ? label.certainty === "likely" : false;
    $("label-query").value = "";
    $("label-found").replaceChildren();
  };

  const shipped = new Map(tasks.flatMap((task) => task.candidates).map((found) => [found.recipient_id, found]));
  let asked = 0;
  const search = async (text) => {
    const wanted = text.trim().toUpperCase();
    asked += 1;
    const mine = asked;
    if (wanted.length < 3) { $("label-found").replaceChildren(); return; }
    let found = [...shipped.values()].filter((one) => one.name.toUpperCase().includes(wanted));
    if (server) {
      try { found = await (await fetch(`search?q=${encodeURIComponent(text.trim())}`)).json(); } catch { say("The search did not answer."); }
    }
    if (mine !== asked) return;
    $("label-found").replaceChildren(...(found.length ? found.slice(0, 20).map((one) => candidate({ parts: [], ...one }, 0, false)) : [element("li", {}, "Nothing found.")]));
  };

  $("label-both").addEventListener("click", () => decide(both(tasks[at])));
  $("label-none").addEventListener("click", () => decide([]));
  $("label-skip").addEventListener("click", skip);
  $("label-undo").addEventListener("click", takeBack);
  $("label-query").addEventListener("input", (event) => search(event.target.value));
  $("label-reviewer").addEventListener("change", () => save());
  $("label-file").addEventListener("change", async (event) => { const [file] = event.target.files; if (file) load(await file.text()); });
  $("label-download").addEventListener("click", () => {
    const link = element("a", { href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })), download: "truth.csv" });
    link.click();
    URL.revokeObjectURL(link.href);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    if (!tasks.length) return;
    const found = tasks[at].candidates[Number(event.key) - 1];
    const side = "ab".indexOf(event.key);
    if (sides.length && side >= 0) decide(tasks[at].answers[side].recipient_ids);
    else if (sides.length && event.key === "c" && both(tasks[at]).length > 1) decide(both(tasks[at]));
    else if (/^[1-5]$/.test(event.key) && found) decide([found.recipient_id]);
    else if (event.key === "n") decide([]);
    else if (event.key === "s") skip();
    else if (event.key === "u") takeBack();
    else if (event.key === "ArrowRight") { at = Math.min(at + 1, tasks.length - 1); draw(); }
    else if (event.key === "ArrowLeft") { at = Math.max(at - 1, 0); draw(); }
    else return;
    event.preventDefault();
  });

  $("label-bar").max = tasks.length || 1;
  ["label-none", "label-skip", "label-query"].forEach((id) => { $(id).disabled = !tasks.length; });
  $("label-reviewer").value = reviewer;
  restore();
  $("label-tool").hidden = false;
  next(0);
})();
