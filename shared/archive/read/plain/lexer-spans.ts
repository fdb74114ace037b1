import type { Buffer } from "node:buffer";
import { backslash, quoteByte } from "./lexer-bytes.ts";

/** How far a quoted part was read. Not closed: go on at `at` when there are more bytes. */
export interface Span {
  readonly at: number;
  readonly closed: boolean;
}

const closed = (at: number): Span => ({ at, closed: true });
const open = (at: number): Span => ({ at, closed: false });

/** To the closing quote; `doubles`: two of them stand for one inside. */
export function quotedSpan(bytes: Buffer, from: number, ending: number, doubles: boolean, final: boolean): Span {
  for (let at = bytes.indexOf(ending, from); at !== -1; at = bytes.indexOf(ending, at + 2)) {
    if (!doubles) return closed(at + 1);
    if (at + 1 === bytes.length && !final) return open(at);
    if (bytes[at + 1] !== ending) return closed(at + 1);
  }
  // A doubled quote may be the last that was read.
  return open(bytes.length);
}

/** To the closing quote of a string with backslash escapes. */
export function escapedSpan(bytes: Buffer, from: number, final: boolean): Span {
  const end = bytes.length;
  for (let at = from; at < end; ) {
    const byte = bytes[at]!;
    if (byte !== backslash && byte !== quoteByte) at += 1;
    else if (at + 1 === end && !final) return open(at);
    else if (byte === backslash || bytes[at + 1] === quoteByte) at += 2;
    else return closed(at + 1);
  }
  return open(end);
}

/** To the tag that closes a dollar-quoted string. */
export function taggedSpan(bytes: Buffer, from: number, tag: Buffer): Span {
  const found = bytes.indexOf(tag, from);
  if (found !== -1) return closed(found + tag.length);
  return open(Math.max(from, bytes.length - tag.length + 1));
}

/** To the line break that ends a comment. */
export function lineSpan(bytes: Buffer, from: number, final: boolean): Span {
  let at = from;
  while (at < bytes.length && bytes[at] !== 0x0a && bytes[at] !== 0x0d) at += 1;
  return at === bytes.length && !final ? open(at) : closed(at);
}
