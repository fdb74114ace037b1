import { Buffer } from "node:buffer";
import { z } from "zod";
import { BelayError } from "./errors.ts";
import { plainText } from "./text.ts";

/** One page of a listing; `next` is the cursor of the following page, null at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

const cursorSchema = z.tuple([z.string(), plainText(1_000)]);

/** An opaque cursor over a sort value and a unique id. */
export function encodeCursor(sort: string, id: string): string {
  return Buffer.from(JSON.stringify([sort, id])).toString("base64url");
}

/** Reads a cursor; throws `usage` when it was not made by encodeCursor. */
export function decodeCursor(cursor: string): { sort: string; id: string } {
  try {
    const [sort, id] = cursorSchema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
    return { sort, id };
  } catch {
    throw notACursor();
  }
}

/** As decodeCursor, for listings by time: the sort value is a timestamp as Postgres writes it under ISO and UTC. */
export function decodeTimeCursor(cursor: string): { sort: string; id: string } {
  const decoded = decodeCursor(cursor);
  const time = /^([12]\d{3}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)\+00$/.exec(decoded.sort);
  if (time === null) throw notACursor();
  const moment = new Date(`${time[1]}T${time[2]}Z`);
  // A day that the month does not have parses as a day of the next one.
  if (Number.isNaN(moment.getTime()) || moment.toISOString().slice(0, 10) !== time[1]) throw notACursor();
  return decoded;
}

function notACursor(): BelayError {
  return new BelayError("usage", "the cursor is not one that a listing gave", {
    hint: "Send the `next` value of the page before, unchanged.",
  });
}

/** Cuts the page out of rows that were read with one row more than `limit`. */
export function pageOf<T>(rows: readonly T[], limit: number, cursorOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
