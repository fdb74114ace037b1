import { randomBytes } from "node:crypto";
import postgres from "postgres";

const server = process.env.BELAY_TEST_SERVER ?? "postgres://postgres@127.0.0.1:54015/postgres";
export async function createDatabase(
  _options: { major?: 15 | 17 | 18 } = {},
): Promise<{ url: string; name: string; drop(): Promise<void> }> {
  const name = `archive_${randomBytes(5).toString("hex")}`;
  const run = async (text: string) => {
    const sql = postgres(server, { max: 1, onnotice: () => {} });
    await sql.unsafe(text).finally(() => sql.end());
  };
  await run(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, name, drop: () => run(`drop database if exists ${name} with (force)`) };
}
