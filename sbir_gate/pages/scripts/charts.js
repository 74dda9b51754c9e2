"use strict";
/* Charts, drawn by Plotly in the colors of the style sheet. All text from data is drawn as text. */
const Charts = (() => {
  const PALETTE = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6"];
  const TONES = {
    good: "--good", warn: "--warn", bad: "--bad", quiet: "--quiet", main: "--series-1", second: "--series-2",
  };
  /* Not by color alone: these points have shapes of their own. */
  const SYMBOLS = { warn: "triangle-up", bad: "x", quiet: "circle-open" };
  const CONFIG = { displayModeBar: false, responsive: true, showTips: false };
  const LONGEST_LABEL = 24, FEW_LABELS = 6;
  const isTouch = window.matchMedia("(pointer: coarse)").matches;

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  /* Plotly reads some HTML in texts: nothing of data may be any. */
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const lines = (text) => plain(text).replace(/\n/g, "<br>");
  const faded = (hex, share) => hex + Math.round(share * 255).toString(16).padStart(2, "0");
  const labels = (values) => (values ?? []).map((value) => (typeof value === "string" ? plain(value) : value));

  const tone = (name, place) => color(TONES[name] ?? PALETTE[place % PALETTE.length]);

  const interval = (series, line) => {
    if (!series.low) return undefined;
    const apart = (ends) => series.y.map((value, place) => Math.abs((ends[place] ?? value) - value));
    return {
      type: "data", symmetric: false, array: apart(series.high), arrayminus: apart(series.low),
      color: line, thickness: 1.2, width: 3,
    };
  };

  const trace = (series, place, chart) => {
    const main = tone(series.tone, place);
    const each = series.tones ? series.tones.map((name) => tone(name, place)) : main;
    const x = labels(series.x);
    const shared = { name: plain(series.name), showlegend: chart.series.length > 1 && series.name !== "" };
    if (series.texts) Object.assign(shared, { hovertext: series.texts.map(lines), hoverinfo: "text" });
    else Object.assign(shared, { hoverinfo: chart.series.length > 1 ? "x+y+name" : "x+y" });
    if (series.mark === "pie") {
      const colors = x.map((_, index) => tone(series.tones?.[index], index));
      const marker = { colors, line: { color: color("--back"), width: 2 } };
      return {
        ...shared, type: "pie", labels: x, values: series.y, marker, sort: false, direction: "clockwise", hole: 0.45,
        textinfo: "percent", textposition: "inside", insidetextorientation: "horizontal",
        hoverinfo: series.texts ? "text" : "label+value+percent", showlegend: true,
        insidetextfont: { color: color("--on-series") },
      };
    }
    if (series.mark === "bar") {
      const sides = chart.horizontal ? { x: series.y, y: x, orientation: "h" } : { x, y: series.y };
      const found = interval(series, color("--text"));
      const bars = { ...shared, ...sides, type: "bar", marker: { color: each }, base: series.base };
      if (found) bars[chart.horizontal ? "error_x" : "error_y"] = found;
      return bars;
    }
    if (series.mark === "band") {
      const there = x.map((_, index) => index).filter((index) => series.low[index] != null && series.high[index] != null);
      const back = [...there].reverse();
      return {
        ...shared, type: "scatter", mode: "lines", fill: "toself", fillcolor: faded(main, 0.16), line: { width: 0 },
        x: [...there, ...back].map((index) => x[index]), hoverinfo: "skip",
        y: [...there.map((index) => series.low[index]), ...back.map((index) => series.high[index])],
      };
    }
    const modes = { "line": "lines", "points": "markers", "line-and-points": "lines+markers" };
    return {
      ...shared, type: "scatter", mode: modes[series.mark], x, y: series.y, error_y: interval(series, faded(main, 0.6)),
      line: { color: main, width: series.faint ? 1 : 2, dash: series.dashed ? "dash" : "solid" },
      marker: { color: each, size: series.mark === "points" ? 8 : 5, symbol: SYMBOLS[series.tone] ?? "circle" },
      connectgaps: false, opacity: series.faint ? 0.6 : 1,
    };
  };

  /* Long names are cut on the axis; the table beside the chart has them in full. */
  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}\u2026` : text);
  /* Of more than fit side by side, every second or third has a label. */
  const categories = (given, chart, width) => {
    if (given.scale !== "category") return {};
    const names = [...new Set(chart.series.flatMap((series) => series.x))].map(String);
    /* beside horizontal bars a third of the width is for names */
    const most = chart.horizontal ? Math.max(LONGEST_LABEL, Math.floor(width / 3 / 7)) : LONGEST_LABEL;
    const longest = Math.max(...names.map((name) => cut(name, most).length), 1);
    const fitting = Math.max(2, Math.floor((width - 60) / (longest * 6.5 + 14)));
    const step = chart.horizontal || names.length <= FEW_LABELS ? 1 : Math.ceil(names.length / fitting);
    const shown = names.filter((_, place) => place % step === 0);
    return { tickmode: "array", tickvals: shown.map(plain), ticktext: shown.map((name) => plain(cut(name, most))) };
  };

  const axis = (given, chart, width) => ({
    type: given.scale, ticksuffix: plain(given.suffix), automargin: true, fixedrange: isTouch,
    title: given.title ? { text: plain(given.title), standoff: 8, font: { size: 12 } } : undefined,
    range: given.ends ? (given.scale === "log" ? given.ends.map(Math.log10) : given.ends) : undefined,
    gridcolor: color("--grid"), linecolor: color("--line"), zerolinecolor: color("--line"), tickcolor: color("--line"),
    ...categories(given, chart, width), exponentformat: "none", separatethousands: true, nticks: given.scale === "category" ? undefined : 7,
  });

  /* Vertical marks of a script: a release, a Run that is chosen, or a change in its span. */
  const MARK_LINES = {
    release: { color: "--quiet", dash: "dot", width: 1 }, change: { color: "--quiet", dash: "solid", width: 1 },
    chosen: { color: "--text", dash: "solid", width: 1.5 },
  };
  const marks = (list) => {
    const shapes = [], annotations = [];
    for (const mark of list) {
      const line = MARK_LINES[mark.kind], shown = color(TONES[mark.tone] ?? line.color);
      const shared = { xref: "x", yref: "paper", y0: 0, y1: 1, layer: "below" };
      if (mark.to && mark.to !== mark.from) {
        shapes.push({ ...shared, type: "rect", x0: mark.from, x1: mark.to, fillcolor: faded(shown, 0.14), line: { width: 0 } });
      }
      const lines = mark.lines ?? [mark.from];
      shapes.push(...lines.map((at) => ({
        ...shared, type: "line", x0: at, x1: at, line: { color: shown, dash: line.dash, width: line.width },
      })));
      if (mark.text) {
        const isRelease = mark.kind === "release";
        annotations.push({
          x: lines[0], xref: "x", y: isRelease ? 0 : 1, yref: "paper", text: plain(mark.text), showarrow: false,
          xanchor: "left", yanchor: isRelease ? "bottom" : "top", xshift: 3, font: { size: 11, color: shown },
        });
      }
    }
    return { shapes, annotations };
  };

  const layout = (chart, width) => {
    const [x, y] = chart.horizontal ? [chart.y, chart.x] : [chart.x, chart.y];
    const hasPie = chart.series.some((series) => series.mark === "pie");
    return {
      height: chart.height, margin: { l: 8, r: 12, t: 12, b: 8 }, autosize: true,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: color("--text") },
      xaxis: { ...axis(x, chart, width), visible: !hasPie, showgrid: !(x.scale === "category") },
      yaxis: { ...axis(y, chart, width), visible: !hasPie, autorange: chart.horizontal ? "reversed" : y.ends ? false : true },
      ...marks(chart.marks ?? []),
      barmode: chart.stacked ? "stack" : "group", bargap: 0.25, hovermode: "closest",
      dragmode: isTouch ? false : "zoom",
      uniformtext: { minsize: 10, mode: "hide" },
      /* above the plot, where it covers no label */
      legend: { orientation: "h", x: 0, font: { size: 12 }, ...(hasPie ? { y: -0.05 } : { y: 1.02, yanchor: "bottom" }) },
      hoverlabel: {
        bgcolor: color("--raised"), bordercolor: color("--line"), font: { color: color("--text"), size: 12 }, align: "left",
        namelength: -1,
      },
    };
  };

  const draw = (box, chart) => {
    box.hidden = false;
    /* while the library measures anew, for paper say, what follows must not move up */
    box.style.minHeight = `${chart.height}px`;
    return Plotly.react(box, chart.series.map((series, place) => trace(series, place, chart)), layout(chart, box.clientWidth), CONFIG);
  };

  const start = (box) => {
    const chart = Page.charts[box.dataset.chart];
    const again = () => draw(box, chart);
    again();
    box.parentElement.querySelector("details")?.removeAttribute("open");
    Page.onScheme(again);
  };
  /* After the scripts: what a script of the page draws comes first. */
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-chart]").forEach(start));
  return { draw, color, plain, lines, faded };
})();
