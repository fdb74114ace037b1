import type { Entry } from "../../catalog/types.ts";

/** Kinds whose text names roles: grants, default privileges and policies. */
const naming = new Set(["ACL", "DEFAULT ACL", "POLICY"]);

/** Upper-case words of a grant or policy after which roles stand; identifiers that look so are always quoted. */
const before = new Set(["TO", "FROM", "ROLE", "AUTHORIZATION"]);
const token = /"(?:[^"]|"")*"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\S/g;
const notRoles = new Set(["PUBLIC", "CURRENT_USER", "SESSION_USER", "DEFAULT"]);

/** Roles that entries need: owners, and who is named in grants and policies; sorted. */
export function rolesOf(entries: readonly Entry[]): string[] {
  const roles = new Set<string>();
  for (const entry of entries) {
    if (entry.owner !== null && entry.owner !== "") roles.add(entry.owner);
    if (naming.has(entry.kind)) for (const role of rolesIn(entry.create)) roles.add(role);
  }
  return [...roles].sort();
}

function rolesIn(text: string): string[] {
  const roles: string[] = [];
  const tokens = text.match(token) ?? [];
  for (let at = 0; at < tokens.length; at += 1) {
    // What follows in a policy is an expression.
    if (tokens[at] === "USING" || tokens[at] === "CHECK") break;
    if (!before.has(tokens[at]!)) continue;
    do {
      const name = tokens[++at];
      if (name === undefined || name === ";" || notRoles.has(name)) continue;
      roles.push(name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name);
    } while (tokens[at + 1] === "," && at++ < tokens.length);
  }
  return roles;
}
