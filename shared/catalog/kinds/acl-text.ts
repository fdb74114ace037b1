import { BelayError } from "../../errors.ts";
import { quoteIdent } from "../identifiers.ts";

/** What GRANT names: object type, its name as written behind ON, the column. */
export interface GrantTarget {
  readonly type: string;
  /** Quoted and qualified; "" for default privileges. */
  readonly object: string;
  /** Quoted; null for the whole object. */
  readonly column: string | null;
  readonly owner: string | null;
  /** Put before each command; for default privileges. */
  readonly prefix?: string;
}

type Privilege = readonly [code: string, word: string];
const maintain: Privilege = ["m", "MAINTAIN"];
const tablePrivileges: Privilege[] = [
  ["r", "SELECT"],
  ["a", "INSERT"],
  ["x", "REFERENCES"],
  ["d", "DELETE"],
  ["t", "TRIGGER"],
  ["D", "TRUNCATE"],
  maintain,
  ["w", "UPDATE"],
];
const columnCodes = new Set(["r", "a", "x", "w"]);
const privilegesOf: Record<string, Privilege[]> = {
  TABLE: tablePrivileges,
  TABLES: tablePrivileges,
  SEQUENCE: [
    ["r", "SELECT"],
    ["U", "USAGE"],
    ["w", "UPDATE"],
  ],
  SEQUENCES: [
    ["r", "SELECT"],
    ["U", "USAGE"],
    ["w", "UPDATE"],
  ],
  FUNCTION: [["X", "EXECUTE"]],
  FUNCTIONS: [["X", "EXECUTE"]],
  PROCEDURE: [["X", "EXECUTE"]],
  LANGUAGE: [["U", "USAGE"]],
  SCHEMA: [
    ["C", "CREATE"],
    ["U", "USAGE"],
  ],
  SCHEMAS: [
    ["C", "CREATE"],
    ["U", "USAGE"],
  ],
  TYPE: [["U", "USAGE"]],
  TYPES: [["U", "USAGE"]],
  "FOREIGN DATA WRAPPER": [["U", "USAGE"]],
  "FOREIGN SERVER": [["U", "USAGE"]],
  DATABASE: [
    ["C", "CREATE"],
    ["c", "CONNECT"],
    ["T", "TEMPORARY"],
  ],
  "LARGE OBJECT": [
    ["r", "SELECT"],
    ["w", "UPDATE"],
  ],
  "LARGE OBJECTS": [
    ["r", "SELECT"],
    ["w", "UPDATE"],
  ],
};

/**
 * The REVOKE and GRANT commands that lead from the base privileges to the present ones, in pg_dump's wording and
 * order: revokes, the owner's own grants, the others as they were granted. "" when there is nothing to do.
 */
export function grantCommands(
  target: GrantTarget,
  present: readonly string[],
  base: readonly string[],
  serverVersion: number,
): string {
  const known = privilegesOf[target.type];
  if (known === undefined) throw new BelayError("internal", `grants on ${target.type} have no privileges here`);
  const privileges = known.filter(
    (privilege) =>
      (target.column === null || columnCodes.has(privilege[0])) && (privilege !== maintain || serverVersion >= 170000),
  );
  const first: string[] = [];
  const second: string[] = [];
  for (const item of base.filter((one) => !present.includes(one)).map(parseAclItem)) {
    const { all } = splitPrivileges(item.codes, privileges, target.column);
    if (all !== "") first.push(command(target, "REVOKE", all, "FROM", item.grantee));
  }
  for (const item of present.filter((one) => !base.includes(one)).map(parseAclItem)) {
    const { plain, grantable } = splitPrivileges(item.codes, privileges, target.column);
    const isOwners = item.grantee === target.owner && item.grantor === target.owner;
    const commands = [
      ...(plain === "" ? [] : [command(target, "GRANT", plain, "TO", item.grantee)]),
      ...(grantable === "" ? [] : [command(target, "GRANT", grantable, "TO", item.grantee, " WITH GRANT OPTION")]),
    ];
    (isOwners ? first : second).push(...asGrantor(commands, item.grantor, target.owner));
  }
  return [...first, ...second].join("");
}

function asGrantor(commands: string[], grantor: string, owner: string | null): string[] {
  if (commands.length === 0 || grantor === owner) return commands;
  return [`SET SESSION AUTHORIZATION ${quoteIdent(grantor)};\n`, ...commands, "RESET SESSION AUTHORIZATION;\n"];
}

function command(
  target: GrantTarget,
  verb: string,
  privileges: string,
  preposition: string,
  grantee: string,
  suffix = "",
): string {
  const who = grantee === "" ? "PUBLIC" : quoteIdent(grantee);
  return `${target.prefix ?? ""}${verb} ${privileges} ON ${target.type} ${target.object} ${preposition} ${who}${suffix};\n`;
}

/** Words for an aclitem's codes: without and with grant option, and all of them; ALL where nothing lacks. */
function splitPrivileges(codes: string, privileges: readonly Privilege[], column: string | null) {
  const on = column === null ? "" : `(${column})`;
  const held = privileges.filter(([code]) => codes.includes(code));
  const isGrantable = ([code]: Privilege) => codes.includes(`${code}*`);
  const words = (some: readonly Privilege[]) =>
    some.length === privileges.length ? `ALL${on}` : some.map(([, word]) => `${word}${on}`).join(",");
  return {
    plain: words(held.filter((privilege) => !isGrantable(privilege))),
    grantable: words(held.filter(isGrantable)),
    all: words(held),
  };
}

/** An aclitem's text: `grantee=codes/grantor`, names in double quotes where they need it, no grantee for PUBLIC. */
function parseAclItem(item: string): { grantee: string; codes: string; grantor: string } {
  const match = /^("(?:[^"]|"")*"|[^"=]*)=([a-zA-Z*]*)\/("(?:[^"]|"")*"|[^"]*)$/.exec(item);
  if (match === null)
    throw new BelayError("internal", `the privilege ${item} is not in the form that the server writes`);
  return { grantee: unquoted(match[1]!), codes: match[2]!, grantor: unquoted(match[3]!) };
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
