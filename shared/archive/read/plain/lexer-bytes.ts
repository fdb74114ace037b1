import type { Buffer } from "node:buffer";
import type { LexerMode } from "./lexer.ts";

export const quoteByte = 0x27;
export const nameQuote = 0x22;
export const dollar = 0x24;
export const star = 0x2a;
export const dash = 0x2d;
export const slash = 0x2f;
export const backslash = 0x5c;
const ampersand = 0x26;

/** E'' has backslash escapes always, '' and N'' only without standard_conforming_strings, B'', X'' and U&'' never. */
export function stringMode(
  bytes: Buffer,
  at: number,
  wordStart: number,
  wordEnd: number,
  standardStrings: boolean,
): LexerMode {
  const usual = standardStrings ? "quote" : "escape";
  if (wordEnd - wordStart !== 1) return usual;
  const letter = String.fromCharCode(bytes[wordStart]!).toLowerCase();
  if (wordEnd === at) return letter === "e" ? "escape" : letter === "b" || letter === "x" ? "bits" : usual;
  return wordEnd === at - 1 && bytes[at - 1] === ampersand && letter === "u" ? "quote" : usual;
}

/** Kinds of bytes: means nothing to the lexer. */
export const boring = 0;
/** Begins a word. */
export const wordByte = 1;
const special = 2;

/** The kind of each byte. */
export const kinds = new Uint8Array(256);
/** Bytes that go on with a word: 1. */
export const wordPart = new Uint8Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  const letter = /[A-Za-z_]/.test(String.fromCharCode(byte)) || byte >= 0x80;
  if (letter) kinds[byte] = wordByte;
  if (letter || byte === dollar || isDigit(byte)) wordPart[byte] = 1;
}
for (const byte of [quoteByte, nameQuote, dollar, dash, slash, backslash, 0x28, 0x29, 0x3b]) kinds[byte] = special;

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

export function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d && byte !== 0x0b);
}
