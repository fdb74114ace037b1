import type { TocEntry } from "../../format/toc.ts";
import type { Manifest } from "../../types.ts";
import { hasOwner } from "../plan/owners.ts";
import type { Needs } from "./environment.ts";
import { rolesNamed } from "./role-names.ts";

const granting = new Set(["ACL", "DEFAULT ACL"]);
const naming = new Set(["ACL", "DEFAULT ACL", "POLICY", "USER MAPPING"]);

/** Roles and extensions that these entries need: owners, and who is named in grants, policies and user mappings. */
export function needsOf(
  entries: readonly TocEntry[],
  manifest: Manifest | null,
  { owners = true, grants = true }: { owners?: boolean; grants?: boolean },
): Needs {
  const roles = new Set<string>();
  const extensions: { name: string; version?: string }[] = [];
  const versions = new Map(manifest?.extensions.map(({ name, version }) => [name, version]));
  for (const entry of entries) {
    if (/^(DATABASE|DATABASE PROPERTIES)$/.test(entry.desc) || entry.tag.startsWith("DATABASE ")) continue;
    if (entry.desc === "EXTENSION") extensions.push({ name: entry.tag, version: versions.get(entry.tag) });
    if (owners && hasOwner(entry)) roles.add(entry.owner!);
    if (!naming.has(entry.desc) || (!grants && granting.has(entry.desc))) continue;
    for (const role of rolesNamed(entry.defn ?? "")) roles.add(role);
  }
  // What the writer of the archive noted besides.
  if (owners && grants) for (const role of manifest?.roles ?? []) roles.add(role);
  for (const { name, version } of manifest?.extensions ?? [])
    if (!extensions.some((known) => known.name === name)) extensions.push({ name, version });
  return { roles: [...roles].sort(), extensions };
}
