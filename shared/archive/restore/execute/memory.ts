import type { Session } from "../../../postgres/session.ts";

const mebibyte = 1024 * 1024;
const most = 1024 * mebibyte;

/**
 * Bytes for `maintenance_work_mem` of each of `jobs` sessions: never less than the server's own setting, and beyond it
 * together no more than its shared buffers, which say what memory the server was given.
 */
export async function indexMemory(session: Session, jobs: number): Promise<number> {
  const rows = await session.sql<{ name: string; bytes: number }[]>`
    select name, (setting::float8 * case unit when '8kB' then 8192 else 1024 end) as bytes
    from pg_catalog.pg_settings where name in ('maintenance_work_mem', 'shared_buffers')`;
  const setting = (name: string) => rows.find((row) => row.name === name)?.bytes ?? 0;
  return Math.round(Math.max(setting("maintenance_work_mem"), Math.min(most, setting("shared_buffers") / jobs)));
}
