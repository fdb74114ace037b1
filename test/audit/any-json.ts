import fc from "fast-check";

const digits = fc.stringMatching(/^[0-9]{0,25}$/);
/** Numbers as people and programs write them: trailing zeros, exponents, more digits than a double has. */
const number = fc
  .tuple(
    fc.constantFrom("", "-"),
    digits,
    digits,
    fc.option(fc.integer({ min: -40, max: 40 })),
    fc.constantFrom("e", "E", "e+"),
  )
  .map(([sign, whole, fraction, exponent, e]) => {
    const shown = whole.replace(/^0+(?=.)/, "") || "0";
    const power = exponent === null ? "" : exponent < 0 ? `e${exponent}` : `${e}${exponent}`;
    return `${sign}${shown}${fraction === "" ? "" : `.${fraction}`}${power}`;
  });
const text = fc.string({ unit: "grapheme", maxLength: 12 }).map((value) => value.replaceAll("\0", ""));
const control = fc.string({
  unit: fc.integer({ min: 1, max: 0x2ff }).map((code) => String.fromCharCode(code)),
  maxLength: 8,
});
/** Any text that Postgres holds, words that trip up programs among it. */
export const anyText = fc.oneof(text, control, fc.constantFrom("__proto__", "10", "9", "é", "zz", ""));
/** JSON text as somebody else may write it. */
export const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    number,
    anyText.map((value) => JSON.stringify(value)),
    fc.constantFrom("true", "false", "null", '"\\u00e9\\/"'),
    fc.array(tie("json"), { maxLength: 4 }).map((items) => `[${items.join(" ,")}]`),
    fc
      .array(fc.tuple(anyText, tie("json")), { maxLength: 5 })
      .map((pairs) => `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(", ")}}`),
  ),
}));
