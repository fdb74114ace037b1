import type postgres from "postgres";

/** The part of a session that settings need. */
interface Queries {
  readonly sql: postgres.Sql;
}

/** Runs `work` under run-time parameters and puts the former values back; after an aborted transaction the server does. */
export async function withParameters<T>(
  session: Queries,
  parameters: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const names = Object.keys(parameters);
  const before = await session.sql<{ name: string; value: string }[]>`
    select name, current_setting(name) as value from pg_catalog.unnest(${names}::text[]) as name`;
  await setParameters(session, parameters);
  try {
    return await work();
  } finally {
    await setParameters(session, Object.fromEntries(before.map(({ name, value }) => [name, value]))).catch(() => {});
  }
}

/** Sets run-time parameters of the session. */
export async function setParameters(session: Queries, parameters: Readonly<Record<string, string>>): Promise<void> {
  await session.sql`select set_config(p.name, p.value, false)
    from unnest(${Object.keys(parameters)}::text[], ${Object.values(parameters)}::text[]) as p (name, value)`;
}

/** For sessions that ask in Belay's own words: no function in a user's schema may fit better than the server's own. */
export const ownPath = { search_path: "pg_catalog" } as const;
