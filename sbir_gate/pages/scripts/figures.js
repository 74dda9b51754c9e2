"use strict";
/* Figures as `reporting/quantities` prints them; a test holds the two together. */
const Figures = (() => {
  const MINUS = "\u2212", NOTHING = "-";

  /* Return a number with a count of decimals, as Python rounds it: exactly halfway, to the even digit. */
  const fixed = (value, decimals, isGrouped = true) => {
    const size = Math.abs(value), scaled = size * 10 ** decimals;
    const isHalfway = scaled % 1 === 0.5 && Number.isInteger(size * 2 ** (decimals + 1));
    const even = Math.floor(scaled) + (Math.floor(scaled) % 2);
    const [whole, part] = (isHalfway ? even / 10 ** decimals : size).toFixed(decimals).split(".");
    const grouped = !isGrouped ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ",");
    return (value < 0 ? MINUS : "") + grouped + (part ? `.${part}` : "");
  };
  const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

  const scaled = (value, unit) => {
    const isTiny = unit === "s" && value !== 0 && Math.abs(value) < 0.1;
    return isTiny ? [value * 1000, "ms"] : [value, unit];
  };
  const suffix = (unit) => {
    if (unit.startsWith("1/")) return unit.slice(1);
    return ["", "ratio", "count"].includes(unit) ? "" : ` ${unit}`;
  };
  const number = (value, unit) => {
    if (unit === "ratio") return fixed(value, 3, false);
    const isWhole = value === 0 || (unit === "count" && Number.isInteger(value)) || Math.abs(value) >= 1e15;
    return fixed(value, isWhole ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  };

  /* "1.71 s", "42.0 ms", "0.750", "1,204": a value with its unit. */
  const quantity = (value, unit) => {
    if (value === null || value === undefined) return NOTHING;
    const [shown, printed] = scaled(value, unit);
    return number(shown, printed) + suffix(printed);
  };

  /* "+8.0%": a ratio of a later value to an earlier one. */
  const signedPercent = (ratio) => {
    const percent = (ratio - 1) * 100, size = Math.abs(percent);
    const text = trimmed(fixed(size, size >= 100 ? 0 : 1));
    return Number(text.replace(/,/g, "")) ? `${percent < 0 ? MINUS : "+"}${text}%` : "~";
  };

  /* "+1.25 pp", "+0.2 s": a difference with its unit. */
  const difference = (delta, unit) => {
    if (delta === 0) return "0";
    const sign = delta > 0 ? "+" : MINUS;
    if (unit === "ratio") return `${sign}${trimmed(fixed(Math.abs(delta * 100), 2))} pp`;
    return `${sign}${quantity(Math.abs(delta), unit)}`;
  };

  return { quantity, signedPercent, difference };
})();
