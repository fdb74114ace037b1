import { seedRows } from "../../../shared/migrations/prove/rows/seed.ts";
import { openSession } from "../../../shared/postgres/session.ts";

/** Puts three generated rows into every table; answers the tables that would not take any. */
export async function seedTables(url: string, seed: number): Promise<string[]> {
  const session = await openSession(url);
  try {
    await session.run("begin");
    const { unseeded } = await seedRows(session, { rows: 3, seed });
    await session.run("commit");
    await session.run("analyze");
    return unseeded.map(({ table }) => table);
  } finally {
    await session.close();
  }
}
