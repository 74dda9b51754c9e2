"use strict";
/* The dashboard: one trend at a time, chosen by gate, branch, metric and span; a click shows a Run. */
(() => {
  const { data, element } = Page;
  const { quantity, signedPercent, difference } = Figures;
  const MAIN = ["match_rate", "precision", "recall", "wall_seconds", "peak_rss_mib", "work/recipients_scanned",
    "work/candidates_generated", "work/pairs_scored"];
  const DAY = 86400, MOST_MARKERS = 250, MOST_LABELS = 8, MOST_NOTES = 12;
  const find = (id) => document.getElementById(id);
  const form = find("filters"), drawing = find("trend-drawing");
  const fields = form.elements;
  let view = null;

  const fill = (select, options, value) => {
    select.replaceChildren(...options.map((each) => (Array.isArray(each[1])
      ? Object.assign(element("optgroup"), { label: each[0] })
      : element("option", { value: each[0] }, each[1]))));
    options.forEach((each, place) => {
      if (!Array.isArray(each[1])) return;
      select.children[place].append(...each[1].map(([key, name]) => element("option", { value: key }, name)));
    });
    const values = [...select.options].map((option) => option.value);
    select.value = values.includes(value) ? value : values[0];
  };
  const moment = (seconds) => new Date(seconds * 1000).toISOString();
  const stamp = (seconds) => moment(seconds).slice(0, 16).replace("T", " ");

  /* The view that the controls describe: the gate, its course, and the places of its Runs in the span. */
  const build = () => {
    const gate = data.gates[Number(fields.gate.value)];
    const branch = fields.branch.value, key = fields.metric.value;
    const metric = gate.metrics.find((each) => each.key === key);
    const course = gate.courses.find((each) => each.branch === branch && each.metric === key);
    const inBranch = gate.started.map((_, place) => place)
      .filter((place) => !branch || gate.branches[gate.branchOf[place]] === branch);
    const span = fields.span.value;
    let places = inBranch;
    if (span.endsWith("d")) {
      const newest = gate.started[inBranch[inBranch.length - 1]];
      places = inBranch.filter((place) => gate.started[place] >= newest - Number(span.slice(0, -1)) * DAY);
    } else if (span) places = inBranch.slice(-Number(span));
    return { gate, branch, metric, course, inBranch, places, isShown: new Set(places), isLog: fields.log.checked };
  };

  /* Both ends of a point as text, if it has them; they move with the value where that is calibrated. */
  const ends = ({ metric }, columns, place, value) => {
    if (!columns || columns.low[place] === null) return null;
    const ratio = metric.values[place] ? value / metric.values[place] : 1;
    return [columns.low[place] * ratio, columns.high[place] * ratio];
  };
  const label = (found, place, value) => {
    const { gate, metric } = found;
    const commit = gate.commits[place].slice(0, 9);
    const line = (name, pair) => (pair ? `\n${name}: ${pair.map((end) => quantity(end, metric.unit)).join(" to ")}` : "");
    const release = gate.releases[place] ? `\nrelease ${gate.releases[place]}` : "";
    return `${quantity(value, metric.unit)}${line("95% interval", ends(found, metric.interval, place, value))}`
      + `${line("repeats", ends(found, metric.range, place, value))}\n${stamp(gate.started[place])} ${commit}\n`
      + `${gate.outcomes[gate.outcomeOf[place]]}${release}`;
  };

  /* The series of the chart, in the form of the kit; `places` says which Run each point is. */
  const seriesOf = (found) => {
    const { gate, metric, course, isShown } = found;
    const others = new Set(course.apart);
    const like = found.inBranch.filter((place) => !others.has(place) && metric.values[place] !== null);
    const at = like.map((place, number) => [place, course.values ? course.values[number] : metric.values[place]])
      .filter(([place]) => isShown.has(place));
    const apart = course.apart.filter((place) => isShown.has(place));
    const x = (points) => points.map(([place]) => moment(gate.started[place]));
    const points = (name, mark, list, more) => ({
      name, mark, x: x(list), y: list.map(([, value]) => value), places: list.map(([place]) => place),
      texts: list.map(([place, value]) => label(found, place, value)), ...more,
    });
    const series = [];
    if (metric.interval) {
      const [low, high] = [0, 1].map((side) => at.map(([place, value]) => ends(found, metric.interval, place, value)?.[side] ?? null));
      series.push({ name: metric.intervalName, mark: "band", x: x(at), low, high });
    }
    series.push(points(metric.name, at.length > MOST_MARKERS ? "line" : "line-and-points", at, { tone: "main", faint: at.length > MOST_MARKERS }));
    for (const tone of ["warn", "bad", "quiet"]) {
      const some = at.filter(([place]) => gate.tones[gate.outcomeOf[place]] === tone);
      const name = { warn: "warned", bad: "failed", quiet: "not decided" }[tone];
      if (some.length) series.push(points(name, "points", some, { tone }));
    }
    if (apart.length) {
      const list = apart.map((place) => [place, metric.values[place]]);
      series.push(points("other fixture, definition or machine", "points", list, { tone: "quiet", faint: true }));
    }
    if (at.length) {
      const sides = [at[0], at[at.length - 1]];
      if (course.changes.length) series.push(levels(found, at));
      if (course.limit !== null) {
        const name = `fails beyond ${course.limitText}`;
        series.push({ name, mark: "line", x: x(sides), y: sides.map(() => course.limit), tone: "bad", dashed: true, texts: [name, name] });
      }
    }
    return series;
  };

  /* The levels between the changes, as steps. */
  const levels = ({ gate, course }, at) => {
    const xs = [moment(gate.started[at[0][0]])], ys = [course.changes[0].before];
    const first = gate.started[at[0][0]];
    for (const change of course.changes) {
      const [, start, end] = change.at;
      if (gate.started[end] <= first) { ys[ys.length - 1] = change.after; continue; }
      xs.push(moment(Math.max(gate.started[start], first)), moment(gate.started[end]));
      ys.push(ys[ys.length - 1], change.after);
    }
    xs.push(moment(gate.started[at[at.length - 1][0]]));
    ys.push(ys[ys.length - 1]);
    return { name: "level", mark: "line", x: xs, y: ys, tone: "second", texts: ys.map(() => "level") };
  };

  /* A gradual change is visible from either end. */
  const isVisible = (change, isShown) => isShown.has(change.at[1]) || isShown.has(change.at[2]);

  const marksOf = (found) => {
    const { gate, course, isShown } = found;
    const releases = Object.entries(gate.releases).filter(([place]) => isShown.has(Number(place)));
    const changes = course.changes.filter((change) => isVisible(change, isShown));
    const labelled = new Set(changes.slice(-MOST_LABELS));
    const marks = releases.map(([place, tag], number) => ({
      from: moment(gate.started[place]), text: releases.length - number <= MOST_LABELS ? tag : "", kind: "release",
    }));
    for (const change of changes) {
      const [earliest, start, end, latest] = change.at;
      /* a step is a line in the span where it may have been, a gradual change is the span itself */
      const [from, to] = end > start ? [start, end] : [earliest, latest];
      const isBad = course.better && (course.better === "lower") === (change.after > change.before);
      const tone = !course.better ? "quiet" : isBad ? "bad" : "good";
      marks.push({
        from: moment(gate.started[from]), to: moment(gate.started[to]),
        lines: [start, ...(end > start ? [end] : [])].map((place) => moment(gate.started[place])),
        text: labelled.has(change) ? change.label : "", tone, kind: "change",
      });
    }
    if (found.run !== null) marks.push({ from: moment(gate.started[found.run]), text: "", kind: "chosen" });
    return marks;
  };

  const draw = () => {
    if (!view) return;
    const { metric, course, isLog } = view;
    const series = course ? seriesOf(view) : [];
    view.series = series;
    const chart = {
      title: metric.name, series, height: window.innerWidth < 640 ? 320 : 400, marks: course ? marksOf(view) : [],
      x: { title: "", scale: "date", suffix: "" },
      y: { title: "", scale: isLog ? "log" : "linear", suffix: ["ratio", "count", ""].includes(metric.unit) ? "" : ` ${metric.unit}` },
    };
    Charts.draw(drawing, chart);
  };

  const describe = () => {
    const { gate, branch, metric, course, places } = view;
    find("trend-title").textContent = metric.name;
    const count = places.length.toLocaleString("en-US");
    const where = branch ? `branch ${branch}` : "all branches";
    const shown = course ? course.changes.filter((change) => isVisible(change, view.isShown)) : [];
    const changed = course?.isSearched ? `, ${shown.length || "no"} ${shown.length === 1 ? "change" : "changes"} of level` : "";
    find("trend-summary").textContent = `${count} ${places.length === 1 ? "Run" : "Runs"} of ${gate.name} on ${where}${changed}.`;
    const notes = [...shown].reverse().slice(0, MOST_NOTES).map((change) => {
      const button = element("button", { type: "button" }, change.text);
      button.addEventListener("click", () => select(change.at[1]));
      return element("li", {}, "changed ", button);
    });
    if (shown.length > MOST_NOTES) notes.push(element("li", {}, `and ${shown.length - MOST_NOTES} older changes`));
    notes.push(...(course?.notes ?? []).map((note) => element("li", {}, note)));
    find("trend-notes").replaceChildren(...notes);
  };

  /* The Run before, on the branch of the Run. */
  const before = (gate, place) => {
    for (let other = place - 1; other >= 0; other -= 1) {
      if (gate.branchOf[other] === gate.branchOf[place]) return other;
    }
    return null;
  };
  const courseOf = (gate, key) => gate.courses.find((each) => each.metric === key);

  /* The change as text, and its tone: none where the noise between Runs explains it, or nothing says what is better. */
  const change = (now, then, unit, course) => {
    if (now === null || then === null || now === undefined || then === undefined) return ["-", ""];
    const ratio = unit !== "ratio" && then ? signedPercent(now / then) : "";
    const text = ratio === "" ? difference(now - then, unit) : ratio;
    if (now === then) return ["same", "quiet"];
    const noise = course?.spread === null ? 0 : 1.96 * Math.SQRT2 * (course?.spread ?? 0);
    const isReal = course && (!course.isNoisy || (course.spread !== null && Math.abs(Math.log(now / then)) > noise));
    const tone = isReal && course.better && text !== "~" ? ((course.better === "lower") === (now < then) ? "good" : "bad") : "";
    return [text, tone];
  };

  const showRun = () => {
    const { gate, run } = view;
    find("run").hidden = run === null;
    if (run === null) return;
    const other = before(gate, run);
    find("run-title").textContent = `Run of ${stamp(gate.started[run])} UTC`;
    const commit = gate.commits[run];
    const link = (text, address) => element("a", { href: address }, text);
    const facts = [gate.outcomes[gate.outcomeOf[run]], " on ", gate.branches[gate.branchOf[run]] || "no branch", ", commit "];
    facts.push(data.site && commit ? link(commit.slice(0, 9), `${data.site}/commit/${commit}`) : commit.slice(0, 9) || "not known");
    if (gate.dirty.includes(run)) facts.push(" with changes that were not committed");
    if (data.site && commit) {
      const pull = gate.pulls[run];
      if (pull) facts.push(" \u00b7 ", link(`pull request #${pull}`, `${data.site}/pull/${pull}`));
      facts.push(" \u00b7 ", link("checks and report", `${data.site}/commit/${commit}/checks`));
    }
    find("run-facts").replaceChildren(...facts);
    const then = other === null ? "there is none on this branch" : `${stamp(gate.started[other])} UTC`;
    find("run-caption").textContent = `Figures, against the Run before: ${then}`;
    const rows = gate.metrics.filter((metric) => metric.values[run] !== null).map((metric) => {
      const [now, old] = [metric.values[run], other === null ? null : metric.values[other]];
      const [text, tone] = change(now, old, metric.unit, courseOf(gate, metric.key));
      return element("tr", {}, element("th", { scope: "row" }, metric.name),
        element("td", { className: "number" }, quantity(now, metric.unit)),
        element("td", { className: "number" }, quantity(old, metric.unit)),
        element("td", { className: `number ${tone}` }, text));
    });
    find("run-rows").replaceChildren(...rows);
    find("run-rows").closest(".scroll").hidden = !rows.length;
    find("run-empty").hidden = rows.length > 0;
    const isBroken = gate.outcomes[gate.outcomeOf[run]] === "error";
    find("run-empty").textContent = `This Run has no figures${isBroken ? ": the engine broke" : ""}.`;
    const place = view.places.indexOf(run);
    find("run-before").disabled = place <= 0;
    find("run-after").disabled = place < 0 || place >= view.places.length - 1;
  };

  const select = (place, isQuiet = false) => {
    view.run = place;
    const newest = view.places[view.places.length - 1];
    if (!isQuiet) Page.set({ run: place === newest ? null : view.gate.started[place] });
    showRun();
    draw();
  };
  const step = (by) => {
    const place = Math.min(Math.max(view.places.indexOf(view.run) + by, 0), view.places.length - 1);
    if (view.places.length) select(view.places[place]);
  };

  const sparkline = (values) => {
    const known = values.filter((value) => value !== null).slice(-60);
    const low = Math.min(...known), high = Math.max(...known), reach = high - low || 1;
    const steps = known.map((value, place) => `${(place / Math.max(known.length - 1, 1)) * 100},${20 - ((value - low) / reach) * 18}`);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 100 22");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", `M${steps.join("L")}`);
    svg.append(path);
    return svg;
  };

  const showCards = () => {
    const { gate, places } = view;
    const made = MAIN.map((key) => gate.metrics.find((metric) => metric.key === key)).filter(Boolean).map((metric) => {
      const known = places.filter((place) => metric.values[place] !== null);
      if (!known.length) return null;
      const last = known[known.length - 1];
      const [now, old] = [last, known[known.length - 2]].map((place) => metric.values[place]);
      const [text, tone] = change(now, old, metric.unit, courseOf(gate, metric.key));
      const card = element("button", { type: "button", className: "card", "aria-pressed": String(metric === view.metric) },
        element("span", {}, metric.name), element("strong", {}, quantity(now, metric.unit)),
        element("small", { className: tone }, text === "same" ? "unchanged" : text === "-" ? "first Run" : `${text} since the Run before`),
        ...(last === places[places.length - 1] ? [] : [element("small", {}, `Run of ${stamp(gate.started[last])}`)]),
        sparkline(known.map((place) => metric.values[place])));
      card.dataset.metric = metric.key;
      card.addEventListener("click", () => { fields.metric.value = metric.key; changed(); focusCard(metric.key); });
      return card;
    });
    find("cards").replaceChildren(...made.filter(Boolean));
  };
  const focusCard = (key) => document.querySelector(`.card[data-metric="${CSS.escape(key)}"]`)?.focus();

  /* What belongs to one gate is shown with that gate alone. */
  const showGate = (chosen) => {
    data.gates.forEach((_, number) => {
      document.querySelectorAll(`dl[id^="g${number}-"], figure[id^="g${number}-"], .table[id="g${number}-metrics"]`)
        .forEach((block) => {
          block.hidden = number !== chosen;
          const box = block.querySelector(".js-plotly-plot");
          if (box && !block.hidden) Plotly.Plots.resize(box);
        });
    });
  };

  const refresh = () => {
    view = { ...build(), run: null };
    const wanted = Number(Page.get("run"));
    const newest = view.places[view.places.length - 1] ?? null;
    const named = view.gate.started.indexOf(wanted);
    view.run = named >= 0 ? named : newest;
    draw();
    describe();
    showCards();
    showRun();
    showGate(Number(fields.gate.value));
    const shown = new Set(view.places), gate = Number(fields.gate.value);
    Tables.narrow("runs-table", (row) => data.table[row][0] === gate && shown.has(data.table[row][1]));
  };

  const fillGate = (branch, metric) => {
    const gate = data.gates[Number(fields.gate.value)];
    const branches = [...new Set(gate.courses.map((course) => course.branch))];
    fill(fields.branch, branches.map((name) => [name, name || "All branches"]), branch ?? gate.branch);
    const groups = new Map();
    gate.metrics.forEach((each) => groups.set(each.group, [...(groups.get(each.group) ?? []), [each.key, each.name]]));
    fill(fields.metric, [...groups], metric);
  };

  const store = () => {
    const gate = data.gates[Number(fields.gate.value)];
    Page.set({
      gate: Number(fields.gate.value) ? gate.name : null,
      branch: fields.branch.value === gate.branch ? null : fields.branch.value || "*",
      metric: fields.metric.value, span: fields.span.value, log: fields.log.checked ? "1" : null,
    });
  };
  const changed = () => { store(); refresh(); };

  const restore = () => {
    const named = data.gates.findIndex((gate) => gate.name === Page.get("gate"));
    fill(fields.gate, data.gates.map((gate, number) => [String(number), gate.name]), String(Math.max(named, 0)));
    const branch = Page.get("branch", null);
    fillGate(branch === "*" ? "" : branch, Page.get("metric"));
    fields.span.value = Page.get("span");
    if (fields.span.selectedIndex < 0) fields.span.value = "";
    fields.log.checked = Page.get("log") === "1";
    refresh();
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    if (event.target === fields.gate) { Page.set({ run: null }); fillGate(null, fields.metric.value); }
    changed();
  });
  find("run-before").addEventListener("click", () => step(-1));
  find("run-after").addEventListener("click", () => step(1));
  find("trend-keys").addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    step(steps[event.key]);
  });
  /* Links to a metric or a Run change that part of the state and leave the rest. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#metric="], a[href^="#run="]');
    if (!link) return;
    event.preventDefault();
    const [name, value] = link.getAttribute("href").slice(1).split("=");
    Page.set({ [name]: decodeURIComponent(value) });
    restore();
    find("trends").scrollIntoView();
    find("trend-keys").focus({ preventScroll: true });
  });

  find("explorer").hidden = false;
  restore();
  /* The frame that shows the chart: tests/performance/dashboard_time.py reads it. */
  requestAnimationFrame(() => performance.mark("first-chart"));
  drawing.on("plotly_click", (event) => {
    const point = event.points[0];
    const places = view.series[point.curveNumber]?.places;
    if (places) select(places[point.pointNumber]);
  });
  Page.onAddress(restore);
  Page.onScheme(draw);
})();
