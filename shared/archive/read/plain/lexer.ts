import { Buffer } from "node:buffer";
import { type Follower, followWords } from "./function-body.ts";
import {
  backslash,
  boring,
  dash,
  dollar,
  isDigit,
  isSpace,
  kinds,
  nameQuote,
  quoteByte,
  slash,
  star,
  stringMode,
  wordByte,
  wordPart,
} from "./lexer-bytes.ts";
import { escapedSpan, lineSpan, quotedSpan, type Span, taggedSpan } from "./lexer-spans.ts";

/** Why the lexer stopped: it needs more bytes, a statement ended, a psql command begins, or a comment between statements ended. */
export type Stop = "more" | "semicolon" | "backslash" | "comment";

export type LexerMode = "plain" | "word" | "tag" | "quote" | "escape" | "bits" | "name" | "dollar" | "comment" | "line";

/**
 * Finds where SQL statements end, by the rules of psql's own lexer (PostgreSQL's psqlscan.l), in a window of bytes that
 * grows and is dropped from. It reads every byte once, wherever the window's ends fall.
 */
export interface Lexer {
  readonly mode: LexerMode;
  /** Next byte to look at: an offset in the window. */
  readonly at: number;
  /** Offset of the statement's first byte after blanks and comments; -1 before it. */
  readonly begun: number;
  /** Offset where the open quote, comment or dollar quote began. */
  readonly opened: number;
  /** Rows of VALUES lists at the statement's top level. */
  readonly valueRows: number;
  standardStrings: boolean;
  scan(bytes: Buffer, final: boolean): Stop;
  /** Begins the next statement at `at`. */
  reset(at: number): void;
  /** The window dropped its first bytes. */
  shift(length: number): void;
}

export function createLexer(): Lexer {
  let mode: LexerMode = "plain";
  let at = 0;
  let begun = -1;
  let opened = 0;
  let depth = 0;
  let parens = 0;
  let tag: Buffer = Buffer.alloc(0);
  let standardStrings = true;
  let valuesSeen = false;
  let valueRows = 0;
  let follower: Follower = followWords();
  // Where the last word began and ended: a string's prefix (E'', B'', U&'') is a word of one letter.
  let wordStart = -2;
  let wordEnd = -1;

  const begin = () => {
    if (begun === -1) begun = at;
  };
  const open = (next: LexerMode, length: number) => {
    if (next !== "comment" && next !== "line") begin();
    opened = at;
    mode = next;
    at += length;
  };
  const openString = (bytes: Buffer) => {
    open(stringMode(bytes, at, wordStart, wordEnd, standardStrings), 1);
  };
  const endWord = (bytes: Buffer) => {
    wordStart = opened;
    wordEnd = at;
    mode = "plain";
    const length = at - opened;
    if (length > 9) {
      follower.other();
      if (parens === 0) valuesSeen = false;
      return;
    }
    const word = bytes.toString("latin1", opened, at).toLowerCase();
    follower.word(word, parens);
    if (parens === 0) valuesSeen = word === "values";
  };

  /** Null: go on. */
  const plain = (bytes: Buffer, final: boolean): Stop | null => {
    const end = bytes.length;
    while (at < end) {
      const byte = bytes[at]!;
      const kind = kinds[byte]!;
      if (kind === boring) {
        if (begun === -1 && !isSpace(byte)) begin();
        at += 1;
        continue;
      }
      if (kind === wordByte) {
        begin();
        opened = at;
        mode = "word";
        return null;
      }
      if (byte === quoteByte) {
        openString(bytes);
        return null;
      }
      if (byte === nameQuote) {
        open("name", 1);
        return null;
      }
      if (byte === dollar) {
        begin();
        opened = at;
        mode = "tag";
        at += 1;
        return null;
      }
      if (byte === dash || byte === slash) {
        if (at + 1 === end && !final) return "more";
        const next = bytes[at + 1];
        if (byte === dash && next === dash) {
          open("line", 2);
          return null;
        }
        if (byte === slash && next === star) {
          depth = 1;
          open("comment", 2);
          return null;
        }
        begin();
        at += 1;
        continue;
      }
      if (byte === backslash) return "backslash";
      if (byte === 0x28) {
        begin();
        if (parens === 0 && valuesSeen) valueRows += 1;
        parens += 1;
      } else if (byte === 0x29) {
        begin();
        if (parens > 0) parens -= 1;
      } else if (parens === 0 && follower.depth === 0) {
        at += 1;
        if (begun === -1) continue;
        return "semicolon";
      } else begin();
      at += 1;
    }
    return "more";
  };

  const word = (bytes: Buffer, final: boolean): Stop | null => {
    while (at < bytes.length && wordPart[bytes[at]!] === 1) at += 1;
    if (at === bytes.length && !final) return "more";
    endWord(bytes);
    return null;
  };

  const dollarTag = (bytes: Buffer, final: boolean): Stop | null => {
    const isTag = (offset: number) => {
      const byte = bytes[offset]!;
      return byte !== dollar && wordPart[byte] === 1 && (offset > opened + 1 || !isDigit(byte));
    };
    while (at < bytes.length && isTag(at)) at += 1;
    if (at === bytes.length && !final) return "more";
    if (bytes[at] === dollar) {
      at += 1;
      tag = Buffer.from(bytes.subarray(opened, at));
      mode = "dollar";
    } else {
      // Only the dollar is thrown away: what follows it may be a word.
      at = opened + 1;
      mode = "plain";
    }
    return null;
  };

  const after = ({ at: next, closed }: Span): Stop | null => {
    at = next;
    if (!closed) return "more";
    mode = "plain";
    return null;
  };

  const comment = (bytes: Buffer): Stop | null => {
    const end = bytes.length - 1;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte === star && bytes[at + 1] === slash) {
        at += 2;
        depth -= 1;
        if (depth > 0) continue;
        mode = "plain";
        return null;
      }
      if (byte === slash && bytes[at + 1] === star) {
        at += 2;
        depth += 1;
      } else at += 1;
    }
    return "more";
  };

  const step = (bytes: Buffer, final: boolean): Stop | null => {
    switch (mode) {
      case "plain":
        return plain(bytes, final);
      case "word":
        return word(bytes, final);
      case "tag":
        return dollarTag(bytes, final);
      case "quote":
      case "bits":
        return after(quotedSpan(bytes, at, quoteByte, mode === "quote", final));
      case "name":
        return after(quotedSpan(bytes, at, nameQuote, true, final));
      case "escape":
        return after(escapedSpan(bytes, at, final));
      case "dollar":
        return after(taggedSpan(bytes, at, tag));
      case "comment":
        return comment(bytes);
      case "line":
        return after(lineSpan(bytes, at, final)) ?? (begun === -1 ? "comment" : null);
    }
  };

  return {
    get mode() {
      return mode;
    },
    get at() {
      return at;
    },
    get begun() {
      return begun;
    },
    get opened() {
      return opened;
    },
    get valueRows() {
      return valueRows;
    },
    get standardStrings() {
      return standardStrings;
    },
    set standardStrings(on) {
      standardStrings = on;
    },
    scan(bytes, final) {
      for (;;) {
        const stop = step(bytes, final);
        if (stop !== null) return stop;
      }
    },
    reset(next) {
      mode = "plain";
      at = next;
      begun = -1;
      depth = 0;
      parens = 0;
      valuesSeen = false;
      valueRows = 0;
      wordStart = -2;
      wordEnd = -1;
      follower = followWords();
    },
    shift(length) {
      at -= length;
      opened -= length;
      if (begun !== -1) begun -= length;
      wordStart -= length;
      wordEnd -= length;
    },
  };
}
