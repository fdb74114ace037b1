/** Upper-case words after which roles stand; identifiers that look so are always quoted. */
const before = new Set(["TO", "FROM", "ROLE", "AUTHORIZATION", "FOR"]);
const notRoles = new Set([
  "PUBLIC",
  "CURRENT_USER",
  "CURRENT_ROLE",
  "SESSION_USER",
  "DEFAULT",
  "ALL",
  "SELECT",
  "INSERT",
  "UPDATE",
  "DELETE",
  "ROLE",
  "USER",
]);
const token = /"(?:[^"]|"")*"|'(?:[^']|'')*'|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\S/g;

/** Roles that grants, default privileges, a policy or a user mapping name, as pg_dump writes them. */
export function rolesNamed(sql: string): string[] {
  const roles: string[] = [];
  const tokens = sql.match(token) ?? [];
  for (let at = 0; at < tokens.length; at += 1) {
    // What follows in a policy is an expression, in a user mapping a server.
    if (tokens[at] === "USING" || tokens[at] === "CHECK" || tokens[at] === "SERVER") break;
    if (!before.has(tokens[at]!)) continue;
    do {
      const name = tokens[++at];
      // No role can be named so: also in quotes it means everybody.
      const everybody = name === "public" || name === '"public"';
      if (name === undefined || name === ";" || everybody || notRoles.has(name)) {
        // FOR ROLE x, FOR SELECT: the word itself may be one after which a role stands.
        at -= 1;
        break;
      }
      roles.push(name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name);
    } while (tokens[at + 1] === "," && at++ < tokens.length);
  }
  return roles;
}
