import { sqlTokens } from "./tokens.ts";

/** A setting that changes how the rest of a script is read. */
export type ReadingSetting =
  | { readonly name: "encoding"; readonly value: string }
  | { readonly name: "standard strings"; readonly value: boolean }
  /** Every setting is as the server has it. */
  | { readonly name: "all" }
  /** The setting is changed in a way that cannot be followed without the server. */
  | { readonly name: "unknown"; readonly setting: string };

const watched = /client_encoding|standard_conforming_strings|^\s*set\s+(?:session\s+)?names\b|^\s*reset\s+all\b/i;

/** What a statement says about the script's encoding and strings; null for almost every statement. */
export function readSetting(text: string): ReadingSetting | null {
  if (text.length > 1000 || !/^(?:set|reset|select|discard)\b/i.test(text) || !watched.test(text)) return null;
  const tokens = [...sqlTokens(text, 50)].map((token) => token.identifier ?? token.text);
  if (tokens[0] === "reset" && tokens[1] === "all") return { name: "all" };
  if (tokens[0] !== "set") return { name: "unknown", setting: named(text) };
  const rest = tokens[1] === "session" ? tokens.slice(2) : tokens.slice(1);
  const name = rest[0] ?? "";
  const value = (name === "names" ? rest[1] : ["to", "="].includes(rest[1] ?? "") ? rest[2] : undefined) ?? "";
  if (name === "client_encoding" || name === "names") return { name: "encoding", value };
  if (name !== "standard_conforming_strings") return { name: "unknown", setting: named(text) };
  if (/^(on|true|yes|1)$/i.test(value)) return { name: "standard strings", value: true };
  if (/^(off|false|no|0)$/i.test(value)) return { name: "standard strings", value: false };
  return { name: "unknown", setting: "standard_conforming_strings" };
}

function named(text: string): string {
  return /standard_conforming_strings/i.test(text) ? "standard_conforming_strings" : "client_encoding";
}
