/** Encodings in which a byte of a letter may look like a quote's or a backslash's: only the client can read them. */
const clientOnly = new Set(
  ["sjis", "mskanji", "shiftjis", "win932", "windows932", "shiftjis2004", "big5", "win950", "windows950", "gbk"].concat(
    ["win936", "windows936", "uhc", "win949", "windows949", "gb18030", "johab"],
  ),
);

const utf8Names = new Set(["utf8", "unicode", "", "default"]);

/** Postgres compares names of encodings by their letters and digits alone. */
function folded(encoding: string): string {
  return encoding.toLowerCase().replace(/[^a-z0-9]/g, "");
}

export function isUtf8Name(encoding: string): boolean {
  return utf8Names.has(folded(encoding));
}

/** Whether SQL in the encoding can be read byte by byte (PostgreSQL manual, character sets: "Server?"). */
export function isReadable(encoding: string): boolean {
  return !clientOnly.has(folded(encoding));
}
