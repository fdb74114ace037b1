import { Buffer } from "node:buffer";

const firstCapacity = 256 * 1024;
const keptCapacity = 4 * 1024 * 1024;
const newline = 0x0a;
/** Bytes that are looked at to learn how long lines are, and what counts as long. */
const sampled = 4096;
const longLine = 64;

/** The part of a script that is in memory: what was read and not yet dropped. Offsets count from its beginning. */
export interface ScriptWindow {
  /** Valid until the next append or drop. */
  readonly bytes: Buffer;
  /** Line of the window's first byte, from 1. */
  readonly line: number;
  append(chunk: Uint8Array): void;
  /** Forgets the first `length` bytes. */
  drop(length: number): void;
  /** Line of an offset in the window. */
  lineAt(offset: number): number;
}

export function createWindow(): ScriptWindow {
  let storage = Buffer.allocUnsafeSlow(firstCapacity);
  let start = 0;
  let end = 0;
  let line = 1;
  let view = storage.subarray(0, 0);

  const makeRoom = (length: number) => {
    const live = end - start;
    if (end + length <= storage.length) return;
    const wanted = live + length;
    const capacity = wanted > storage.length ? Math.max(wanted, 2 * live) : shrunk(storage.length, wanted);
    const target = capacity === storage.length ? storage : Buffer.allocUnsafeSlow(capacity);
    storage.copy(target, 0, start, end);
    storage = target;
    start = 0;
    end = live;
  };
  return {
    get bytes() {
      return view;
    },
    get line() {
      return line;
    },
    append(chunk) {
      makeRoom(chunk.length);
      storage.set(chunk, end);
      end += chunk.length;
      view = storage.subarray(start, end);
    },
    drop(length) {
      line += countLines(view, 0, length);
      start += length;
      view = storage.subarray(start, end);
    },
    lineAt: (offset) => line + countLines(view, 0, offset),
  };
}

/** Gives the memory of a very long statement back. */
function shrunk(capacity: number, wanted: number): number {
  return capacity > keptCapacity && wanted <= keptCapacity / 2 ? keptCapacity : capacity;
}

/** Line breaks in a range of bytes. */
function countLines(bytes: Buffer, from: number, to: number): number {
  let lines = 0;
  let at = from;
  for (const end = Math.min(to, from + sampled); at < end; at += 1) if (bytes[at] === newline) lines += 1;
  if (at === to) return lines;
  if (lines > sampled / longLine) {
    for (; at < to; at += 1) if (bytes[at] === newline) lines += 1;
    return lines;
  }
  // Between line breaks that are far apart the engine's own search is several times faster.
  for (at = bytes.indexOf(newline, at); at !== -1 && at < to; at = bytes.indexOf(newline, at + 1)) lines += 1;
  return lines;
}
