import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { debianMajor, debianPrograms } from "../../servers/debian.ts";

/** Runs the commands of an archive's README.txt as an operator would, one sh for all. */
export async function follow(store: string, archiveId: string, database: string): Promise<string> {
  const folder = join(fileURLToPath(store), "archives", archiveId);
  const readme = await readFile(join(folder, "README.txt"), "utf8");
  const script = readme
    .slice(readme.search(/^DB=postgres:/m))
    .replace(/^DB=.*$/m, `DB='${database}'`)
    .replace(/^ARCHIVE=.*$/m, `ARCHIVE='${folder}'`);
  expect(script).toContain("--section=data");
  // What must end without an error is followed by `|| exit`: an operator would stop there.
  const strict = script.replace(/^(pg_restore --section=data .*|psql .*)$/gm, (line) => line.replace(/^/, "set -e; "));
  const relaxed = strict.replace(/^pg_restore --section=(pre|post)-data.*$/gm, "set +e; $&");
  // The last pg_restore may end with 1 over what is still there.
  const { stdout, stderr } = await promisify(execFile)("sh", ["-c", `${relaxed}\nset +e; echo followed`], {
    env: { PATH: `${debianPrograms(debianMajor)}:${process.env.PATH}`, LC_ALL: "C" },
  });
  expect(stdout).toMatch(/followed$/m);
  return stderr;
}
