import { BelayError } from "../errors.ts";
import type { ByteRange } from "./types.ts";

/** The first byte of a range and the first one after it; `end` undefined: to the object's end. Throws `store_failed`. */
export function boundsOf(key: string, range: ByteRange): { start: number; end: number | undefined } {
  const { offset, length } = range;
  const sound = (value: number) => Number.isSafeInteger(value) && value >= 0;
  if (!sound(offset) || (length !== undefined && !sound(offset + length))) throw outside(key, range, null);
  if (length !== undefined && !sound(length)) throw outside(key, range, null);
  return { start: offset, end: length === undefined ? undefined : offset + length };
}

/** A range that is not in the object; `size` in bytes, null when nobody asked. */
export function outside(key: string, range: ByteRange, size: number | null): BelayError {
  const wanted = `${range.length ?? "all"} bytes from ${range.offset} on`;
  const held = size === null ? "" : `, it has ${size} bytes`;
  return new BelayError("store_failed", `${wanted} are not in ${key}${held}`, {
    hint: "The object is shorter than what points into it says: use another archive.",
    details: { key, size },
  });
}

/** Throws `store_failed` when the range is not in an object of `size` bytes; the range at its very end is, and is empty. */
export function requireInside(key: string, range: ByteRange, size: number): { start: number; end: number } {
  const { start, end = size } = boundsOf(key, range);
  if (start > size || end > size) throw outside(key, range, size);
  return { start, end };
}
