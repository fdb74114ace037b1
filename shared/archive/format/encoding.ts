import { Buffer } from "node:buffer";
import { BelayError } from "../../errors.ts";

/** Postgres encoding names (manual, section 24.3) with the label by which TextDecoder knows them. */
const labels: Readonly<Record<string, string>> = {
  UTF8: "utf-8",
  // Names no encoding: what is not UTF-8 in it cannot be told.
  SQL_ASCII: "utf-8",
  LATIN2: "iso-8859-2",
  LATIN3: "iso-8859-3",
  LATIN4: "iso-8859-4",
  LATIN5: "iso-8859-9",
  LATIN6: "iso-8859-10",
  LATIN7: "iso-8859-13",
  LATIN8: "iso-8859-14",
  LATIN9: "iso-8859-15",
  LATIN10: "iso-8859-16",
  ISO_8859_5: "iso-8859-5",
  ISO_8859_6: "iso-8859-6",
  ISO_8859_7: "iso-8859-7",
  ISO_8859_8: "iso-8859-8",
  WIN866: "ibm866",
  WIN874: "windows-874",
  WIN1250: "windows-1250",
  WIN1251: "windows-1251",
  WIN1252: "windows-1252",
  WIN1253: "windows-1253",
  WIN1254: "windows-1254",
  WIN1255: "windows-1255",
  WIN1256: "windows-1256",
  WIN1257: "windows-1257",
  WIN1258: "windows-1258",
  KOI8R: "koi8-r",
  KOI8U: "koi8-u",
  EUC_JP: "euc-jp",
  EUC_KR: "euc-kr",
  EUC_CN: "gbk",
  UHC: "euc-kr",
  SJIS: "shift_jis",
  BIG5: "big5",
  GBK: "gbk",
  GB18030: "gb18030",
};

/** The encoding that an ENCODING entry's `SET client_encoding = 'X';` names; SQL_ASCII, as for pg_restore, without one. */
export function encodingOf(defn: string | null): string {
  return /'([^']*)'/.exec(defn ?? "")?.[1]?.toUpperCase() ?? "SQL_ASCII";
}

/** Decodes an archive's strings; throws `archive_invalid` for an encoding that is not known here, and for bytes that are not of it. */
export function decoderFor(encoding: string): (bytes: Uint8Array) => string {
  // TextDecoder takes LATIN1 for WIN1252.
  if (encoding === "LATIN1")
    return (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const label = Object.hasOwn(labels, encoding) ? labels[encoding] : undefined;
  if (label === undefined)
    throw new BelayError("archive_invalid", `the archive is in the encoding ${JSON.stringify(encoding.slice(0, 40))}`, {
      hint: "Dump again with --encoding=UTF8.",
    });
  const decoder = new TextDecoder(label, { ignoreBOM: true, fatal: true });
  return (bytes) => {
    if (label === "utf-8") {
      // Several times as fast for short strings; what it could not decode shows.
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
      if (!text.includes("\ufffd")) return text;
    }
    try {
      return decoder.decode(bytes);
    } catch (error) {
      throw new BelayError("archive_invalid", `a name or statement in the archive is not ${encoding}`, {
        hint:
          encoding === "SQL_ASCII"
            ? "Its database names no encoding. Dump again with --encoding set to the real one, LATIN1 for example."
            : "The archive is damaged. Use another one.",
        cause: error,
      });
    }
  };
}
