import { Buffer } from "node:buffer";
import { BelayError } from "../../errors.ts";

/** Postgres encoding names (manual, section 24.3) with the label by which TextDecoder knows them. */
const labels: Record<string, string> = {
  UTF8: "utf-8",
  SQL_ASCII: "utf-8",
  LATIN1: "iso-8859-1",
  LATIN2: "iso-8859-2",
  LATIN9: "iso-8859-15",
  WIN1250: "windows-1250",
  WIN1251: "windows-1251",
  WIN1252: "windows-1252",
  KOI8R: "koi8-r",
  EUC_JP: "euc-jp",
  EUC_KR: "euc-kr",
};

/** The encoding that an ENCODING entry's `SET client_encoding = 'X';` names; UTF8 when there is none. */
export function encodingOf(defn: Uint8Array | null): string {
  if (defn === null) return "UTF8";
  const text = Buffer.from(defn.buffer, defn.byteOffset, defn.byteLength).toString("latin1");
  return /'([^']*)'/.exec(text)?.[1]?.toUpperCase() ?? "UTF8";
}

/** Decodes an archive's strings; throws `archive_invalid` for an encoding that is not known here. */
export function decoderFor(encoding: string): (bytes: Uint8Array) => string {
  const label = Object.hasOwn(labels, encoding) ? labels[encoding] : undefined;
  if (label === undefined)
    throw new BelayError("archive_invalid", `the archive is in the encoding ${encoding.slice(0, 40)}`, {
      hint: "Dump again with --encoding=UTF8.",
    });
  const decoder = new TextDecoder(label, { ignoreBOM: true });
  return (bytes) => decoder.decode(bytes);
}
