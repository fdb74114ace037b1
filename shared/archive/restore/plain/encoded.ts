import { Buffer } from "node:buffer";
import type { Session } from "../../../postgres/session.ts";
import { sqlTokens } from "../../read/plain/tokens.ts";
import type { EncodedSql } from "../../read/types.ts";

/** What a statement's bytes mean, by the server's word: the driver speaks UTF-8 alone. */
export async function converted(session: Session, { bytes, encoding }: EncodedSql): Promise<string> {
  const [row] = await session.sql`select pg_catalog.convert_from(${Buffer.from(bytes)}, ${encoding}) as text`;
  return row!.text;
}

/** In which encoding the server reads what the session sends. */
export async function setEncoding(session: Session, encoding: string): Promise<void> {
  await session.sql`select pg_catalog.set_config('client_encoding', ${encoding}, false)`;
}

/** The statement with its names in ASCII (U&"..."), to be sent while the session is in another encoding. */
export function withAsciiNames(text: string): string {
  let ascii = "";
  let at = 0;
  for (const { identifier, start, end } of sqlTokens(text)) {
    if (identifier === null || isAscii(identifier)) continue;
    ascii += `${text.slice(at, start)}U&"${[...identifier].map(escaped).join("")}"`;
    at = end;
  }
  return ascii + text.slice(at);
}

function escaped(character: string): string {
  if (character === "\\" || character === '"') return character.repeat(2);
  if (isAscii(character)) return character;
  return `\\+${character.codePointAt(0)!.toString(16).padStart(6, "0")}`;
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}
