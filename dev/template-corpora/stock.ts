import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** `pg_dump -s` of a database, without the key that is another at every run. */
export async function dumpSchema(programs: string, url: string): Promise<string> {
  const { stdout } = await promisify(execFile)(join(programs, "pg_dump"), ["-s", "-d", url], { maxBuffer: 64 << 20 });
  return stdout.replace(/^\\(un)?restrict .*$/gm, "");
}
