// Numbers as text, and equations in MathML, made of elements: no text of the page is ever parsed as markup.
const MATH = "http://www.w3.org/1998/Math/MathML", SVG = "http://www.w3.org/2000/svg";

function element(tag, attributes = {}, ...children) {
  const made = attributes.xmlns ? document.createElementNS(attributes.xmlns, tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) if (key !== "xmlns") made.setAttribute(key, value);
  made.append(...children);
  return made;
}
const math = (tag, ...children) => element(tag, { xmlns: MATH }, ...children);
const row = (...children) => math("mrow", ...children);
const sign = (text) => math("mo", text);
const fraction = (above, below) => math("mfrac", above, below);

// ------------------------------------------------------------------------------------------------ numbers
// At most eight characters, with a true minus, and with a comma in Portuguese.
function short(x, whole, lang) {
  let text;
  const size = Math.abs(x);
  if (Number.isNaN(x)) return "nan";
  if (size === Infinity) return x > 0 ? "∞" : "−∞";
  if (whole) text = String(x);
  else if (size === 0) text = "0.0000";
  else if (size >= 5e-5 && size < 99999.95) text = x.toFixed(size < 99.99995 ? 4 : size < 999.9995 ? 3 : size < 9999.995 ? 2 : 1);
  else text = x.toExponential(size >= 1e-9 && size < 1e10 ? 2 : 1).replace("+", "");
  text = text.replaceAll("-", "−");
  return lang === "pt" ? text.replace(".", ",") : text;
}
const read = (text) => Number(text.replaceAll("−", "-").replace(",", ".").replace("∞", "Infinity"));
// Whether the digits shown are all there are; a float32 has seven.
const exact = (text, x) => Number.isNaN(x) || text.includes("∞") || Math.abs(read(text) - x) <= 1e-6 * Math.abs(x);
const trim = (text) => (/e/.test(text) ? text : text.replace(/([.,]\d*?)0+$/, "$1").replace(/[.,]$/, ""));

function numeral(x, lang, whole = false) {
  const text = trim(short(x, whole, lang)), [mantissa, power] = text.replace("−", "").split("e");
  const size = power === undefined ? math("mn", mantissa)
    : row(math("mn", mantissa), sign("·"), math("msup", math("mn", "10"), math("mn", power)));
  return text.startsWith("−") ? row(sign("−"), size) : size;
}
// A number in the place of a name: what is negative, or a product, stands in parentheses.
function quantity(x, lang, whole) {
  const made = numeral(x, lang, whole);
  return made.localName === "mrow" ? row(sign("("), made, sign(")")) : made;
}

// ------------------------------------------------------------------------------------------------ arrays
const fits = (a) => a.data && a.shape.length <= 2 && a.data.length <= 12 && (a.shape.at(-1) ?? 1) <= 4;
const rows = (a) => {
  const wide = a.shape.at(-1) ?? 1, found = [];
  for (let i = 0; i < a.data.length; i += wide) found.push(a.data.slice(i, i + wide));
  return found;
};

function matrix(a, lang, whole) {
  const lines = rows(a).map((line) => math("mtr", ...line.map((x) => math("mtd", numeral(x, lang, whole)))));
  return element("mtable", { xmlns: MATH, class: "matrix" }, ...lines);
}
const amount = (a, lang, whole, alone) =>
  a.shape.length ? matrix(a, lang, whole) : alone ? numeral(a.data[0], lang, whole) : quantity(a.data[0], lang, whole);

// An equation from its data: a text in place of an element names a value, and `put` says what stands there, in
// parentheses if it must, or, where it stands alone between two signs, without.
function built(markup, put, lang, alone = false) {
  if (typeof markup === "string") return put(markup, alone);
  if (markup[0] === "mspace") return element("mspace", { xmlns: MATH, width: "0.2em" });
  const [tag, ...children] = markup, fenced = (c, text) => c?.[0] === "mo" && c[1] === text;
  if (tag === "mn" && lang === "pt") return math(tag, children[0].replace(".", ","));
  if (/^m[ion]$|^mtext$/.test(tag)) return math(tag, children[0] ?? "");
  const free = (i) => tag === "mfrac" || tag === "msqrt" || (tag === "msup" && i === 1)
    || (fenced(children[i - 1], "(") && fenced(children[i + 1], ")"));
  return math(tag, ...children.map((c, i) => built(c, put, lang, free(i))));
}
const mentions = (markup) => (typeof markup === "string" ? [markup]
  : /^m[ion]$|^mtext$/.test(markup[0]) ? [] : markup.slice(1).flatMap(mentions));
const loose = (markup) => Array.isArray(markup) && markup[0] === "mrow"
  && markup.some((c, i) => i && c[0] === "mo" && /^[+−]$/.test(c[1]));

// Lines of an equation, the first with what it defines: [left, sign, right].
const formula = (...children) => element("math", { xmlns: MATH, displaystyle: "true" }, ...children);
function lines(...parts) {
  const cells = parts.filter(Boolean).flatMap(([left, relation, right]) => [
    element("div", { class: "left" }, ...(left ? [formula(left)] : [])),
    element("div", {}, formula(row(sign(relation), right))),
  ]);
  return cells.length ? [element("div", { class: "lines" }, ...cells)] : [];
}
