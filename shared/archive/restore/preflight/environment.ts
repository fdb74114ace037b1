import { quoteIdent } from "../../../catalog/identifiers.ts";
import { BelayError } from "../../../errors.ts";
import type { Session } from "../../../postgres/session.ts";

/** What an archive needs of the server that it is restored to. */
export interface Needs {
  readonly roles: readonly string[];
  readonly extensions: readonly { readonly name: string; readonly version?: string }[];
}

export interface Lacking {
  readonly roles: readonly string[];
  readonly extensions: readonly string[];
}

/** Roles and extensions that the server does not have, in the order in which they are needed. */
export async function findLacking(session: Session, needs: Needs): Promise<Lacking> {
  const roles = await session.sql<{ name: string }[]>`
    select name from unnest(${[...needs.roles]}::text[]) with ordinality as wanted (name, at)
    where not exists (select from pg_catalog.pg_roles where rolname = name) order by at`;
  const names = needs.extensions.map(({ name }) => name);
  const extensions = await session.sql<{ name: string }[]>`
    select wanted.name from unnest(${names}::text[]) with ordinality as wanted (name, at)
    where not exists (select from pg_catalog.pg_available_extensions a where a.name = wanted.name) order by at`;
  return { roles: roles.map(({ name }) => name), extensions: extensions.map(({ name }) => name) };
}

/** Extensions of which the server offers only older versions than were archived, in words. */
export async function olderExtensions(session: Session, { extensions }: Needs): Promise<string[]> {
  const known = extensions.filter(({ version }) => version !== undefined);
  const rows = await session.sql<{ name: string; offered: string }[]>`
    select a.name::text, a.default_version as offered from pg_catalog.pg_available_extensions a
    where a.name = any (${known.map(({ name }) => name)}::text[])`;
  return rows.flatMap(({ name, offered }) => {
    const version = known.find((one) => one.name === name)!.version!;
    return isOlder(offered, version) ? [`the extension ${name} is ${offered} on this server, and was ${version}`] : [];
  });
}

function isOlder(version: string, than: string): boolean {
  const [ours, theirs] = [version, than].map((text) => text.split(".").map(Number));
  for (const [at, wanted] of theirs!.entries()) if ((ours![at] ?? 0) !== wanted) return (ours![at] ?? 0) < wanted;
  return false;
}

/** What the archive needs and the server lacks, in words. */
export async function readLacking(session: Session, needs: Needs): Promise<string[]> {
  const { roles, extensions } = await findLacking(session, needs);
  return [...roles.map((name) => `role ${name}`), ...extensions.map((name) => `extension ${name}`)];
}

/** Throws `restore_target` naming at once every role and extension that the server lacks, with the SQL to make them. */
export async function requireEnvironment(session: Session, needs: Needs): Promise<void> {
  const { roles, extensions } = await findLacking(session, needs);
  if (roles.length + extensions.length === 0) return;
  const lacking = [...roles.map((name) => `role ${name}`), ...extensions.map((name) => `extension ${name}`)];
  const steps = [];
  if (roles.length > 0)
    steps.push(
      `Make the roles: ${roles.map((name) => `CREATE ROLE ${quoteIdent(name)};`).join(" ")} Or pass --no-owner and --no-acl.`,
    );
  if (extensions.length > 0) steps.push("Install the extensions' packages on that server.");
  throw new BelayError("restore_target", `the server lacks what the archive needs: ${lacking.join(", ")}`, {
    hint: `Nothing was changed. ${steps.join(" ")}`,
    details: { reason: "lacking", lacking, roles, extensions },
  });
}
