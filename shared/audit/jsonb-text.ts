/** A number as it was written: a double would lose digits that the hash covers. */
class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/**
 * The text that Postgres gives of a jsonb value, from any JSON text of it: keys by length and bytes, numbers as numeric
 * writes them. Throws a SyntaxError for what jsonb does not hold. Source: PostgreSQL's jsonb_util.c and numeric_out.
 */
export function jsonbText(json: string): string {
  const keepNumbers: Reviver = (_, value, { source }) => (typeof value === "number" ? new NumberText(source!) : value);
  return textOf(JSON.parse(json, keepNumbers as (key: string, value: unknown) => unknown));
}

function textOf(value: unknown): string {
  if (value instanceof NumberText) return numericText(value.text);
  if (typeof value === "string") return stringText(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const keys = Object.keys(value).map((key) => ({ key, bytes: Buffer.from(key) }));
  keys.sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes));
  return `{${keys.map(({ key }) => `${stringText(key)}: ${textOf((value as Record<string, unknown>)[key])}`).join(", ")}}`;
}

/** JSON.stringify escapes as Postgres' escape_json does, but for lone surrogates, which jsonb refuses. */
export function stringText(text: string): string {
  if (!text.isWellFormed() || text.includes("\0")) throw new SyntaxError("jsonb holds no such text");
  return JSON.stringify(text);
}

/** Digits before and after the point that numeric can hold. */
const mostDigits = { before: 131_072, after: 16_383 };

function numericText(text: string): string {
  const [, sign, whole, fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  const shift = Number(exponent);
  if (Math.abs(shift) > mostDigits.before) throw new SyntaxError("jsonb holds no such number");
  const digits = whole! + fraction;
  const point = whole!.length + shift;
  const padded = digits.padEnd(point, "0");
  const before = (point > 0 ? padded.slice(0, point) : "").replace(/^0+/, "");
  const after = point > 0 ? padded.slice(point) : "0".repeat(-point) + digits;
  if (before.length > mostDigits.before || after.length > mostDigits.after)
    throw new SyntaxError("jsonb holds no such number");
  const zero = before === "" && !/[1-9]/.test(after);
  return `${zero ? "" : sign}${before === "" ? "0" : before}${after === "" ? "" : `.${after}`}`;
}
