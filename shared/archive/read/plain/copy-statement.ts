import { type SqlToken, sqlTokens } from "./tokens.ts";

/** What a COPY statement copies, and from or to where. */
export interface CopyStatement {
  readonly schema: string | null;
  /** null: the result of a query. */
  readonly table: string | null;
  readonly direction: "from" | "to";
  /** `stdin`: rows stand in the script. */
  readonly place: "stdin" | "stdout" | "file" | "program";
  readonly binary: boolean;
}

/** Reads a COPY statement as far as it matters here; null when it is none. */
export function readCopyStatement(text: string): CopyStatement | null {
  const tokens = [...sqlTokens(text)];
  if (tokens[0]?.text !== "COPY" || tokens[0].kind !== "word") return null;
  let depth = 0;
  const at = tokens.findIndex((token) => {
    if (token.kind === "sign" && token.text === "(") depth += 1;
    if (token.kind === "sign" && token.text === ")") depth -= 1;
    return depth === 0 && token.kind === "word" && (token.text === "FROM" || token.text === "TO");
  });
  if (at === -1) return null;
  return {
    ...copiedTable(tokens.slice(1, at)),
    direction: tokens[at]!.text === "FROM" ? "from" : "to",
    place: placeOf(tokens[at + 1]),
    binary: isBinary(tokens, at),
  };
}

function copiedTable(tokens: readonly SqlToken[]): Pick<CopyStatement, "schema" | "table"> {
  const named = tokens[0]?.text === "BINARY" && tokens[1]?.identifier != null ? tokens.slice(1) : tokens;
  const first = named[0]?.identifier ?? null;
  const second = named[1]?.text === "." ? (named[2]?.identifier ?? null) : null;
  return second === null ? { schema: null, table: first } : { schema: first, table: second };
}

function placeOf(token: SqlToken | undefined): CopyStatement["place"] {
  if (token?.kind !== "word") return "file";
  if (token.text === "STDIN") return "stdin";
  if (token.text === "STDOUT") return "stdout";
  return token.text === "PROGRAM" ? "program" : "file";
}

function isBinary(tokens: readonly SqlToken[], at: number): boolean {
  if (tokens[1]?.text === "BINARY" && tokens[2]?.identifier != null) return true;
  return tokens.slice(at + 2).some((token) => token.identifier === "binary" || token.text.toLowerCase() === "binary");
}
