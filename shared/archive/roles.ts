import type { Entry } from "../catalog/types.ts";

/** Kinds whose text names roles: grants, default privileges and policies. */
const naming = new Set(["ACL", "DEFAULT ACL", "POLICY"]);
const identifier = '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)';
const list = new RegExp(`\\b(?:TO|FROM|FOR ROLE|AS) (${identifier}(?:, ${identifier})*)`, "g");
const words = new Set(["public", "current_user", "session_user", "restrictive", "permissive", "PUBLIC"]);

/** Roles that entries need: owners, and who is named in grants and policies; sorted. */
export function rolesOf(entries: readonly Entry[]): string[] {
  const roles = new Set<string>();
  for (const entry of entries) {
    if (entry.owner !== null && entry.owner !== "") roles.add(entry.owner);
    if (!naming.has(entry.kind)) continue;
    const text = entry.kind === "POLICY" ? entry.create.replace(/ (?:USING|WITH CHECK) \([\s\S]*$/, "") : entry.create;
    for (const [, names] of text.matchAll(list)) {
      for (const [name] of names!.matchAll(new RegExp(identifier, "g"))) {
        if (!words.has(name)) roles.add(name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name);
      }
    }
  }
  return [...roles].sort();
}
