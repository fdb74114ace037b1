import type { Buffer } from "node:buffer";
import type { EncodedSql } from "../types.ts";
import { refuseScript } from "./refuse.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A statement's text, and its bytes where the server must convert them. Throws `archive_invalid` for bad bytes. */
export function decodeStatement(
  bytes: Buffer,
  encoding: string,
  name: string,
  line: number,
): { text: string; encoded: EncodedSql | null } {
  if (encoding !== "UTF8" && !isAscii(bytes)) {
    const text = bytes.toString("latin1").trimEnd();
    refuseNul(text, name, line);
    return { text, encoded: { bytes: Uint8Array.from(bytes.subarray(0, text.length)), encoding } };
  }
  const text = bytes.toString("utf8").trimEnd();
  refuseNul(text, name, line);
  if (text.includes("\uFFFD")) requireUtf8(bytes, name, line);
  return { text, encoded: null };
}

function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at]! >= 0x80) return false;
  return true;
}

function refuseNul(text: string, name: string, line: number): void {
  const at = text.indexOf("\0");
  if (at === -1) return;
  const lines = text.slice(0, at).split("\n").length - 1;
  throw refuseScript(name, line + lines, "the SQL holds a NUL byte");
}

function requireUtf8(bytes: Uint8Array, name: string, line: number): void {
  try {
    strict.decode(bytes);
  } catch {
    throw refuseScript(
      name,
      line,
      "the statement is not UTF-8",
      "Put SET client_encoding = '...' with the script's encoding at its beginning.",
    );
  }
}
