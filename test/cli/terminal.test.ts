import { spawn, spawnSync } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compiled, main, openShop, type Shop, section, state } from "./support.ts";

const scripted = spawnSync("script", ["-qec", "true", "/dev/null"]).status === 0;

let shop: Shop;
beforeAll(async () => {
  if (!scripted) return;
  shop = await openShop(
    { "01_notes.sql": section("create table notes (id int primary key, text text);", "drop table notes;") },
    "insert into notes select n, 'note ' || n from generate_series(1, 30) n",
  );
});
afterAll(() => shop?.drop());

interface Typed {
  /** What is on the screen when this is typed. */
  readonly after: string;
  readonly text: string;
}

/** Runs the command line on a terminal of the given width, typing as a person would. */
async function atTerminal(
  command: string,
  typed: readonly Typed[],
  columns = 80,
): Promise<{ code: number; screen: string }> {
  const line = `stty cols ${columns}; exec '${process.execPath}' '${main}' ${command}`;
  const child = spawn("script", ["-qec", line, "/dev/null"], {
    cwd: shop.directory,
    env: { PATH: process.env.PATH, TERM: "xterm", SHELL: "/bin/sh", NODE_COMPILE_CACHE: compiled, ...shop.environment },
  });
  let screen = "";
  const left = [...typed];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    screen += text;
    while (left[0] !== undefined && screen.includes(left[0].after)) child.stdin.write(left.shift()!.text);
  });
  const code = await new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? -1)));
  return { code, screen };
}

/** The screen as lines, without colours and without the progress that was wiped off again. */
const linesOf = (screen: string): string[] =>
  screen.split("\n").map((line) => stripVTControlCharacters(line.replaceAll("\r", "").split("\x1b[2K").at(-1)!));

const why = { after: "Why is this rolled back?", text: "bad deploy\n" };
const question = "Roll back 01_notes? [y/N]";

describe.skipIf(!scripted)(
  scripted ? "on a terminal" : "on a terminal (skipped: the program script is not there)",
  () => {
    it.each([
      ["Enter", "\n"],
      ["no", "no\n"],
      ["anything else", "sure\n"],
      ["the end of input", "\x04"],
    ])("rollback shows the loss and asks; %s is no, and nothing changes", async (_, text) => {
      const before = await state(shop.url);
      const { code, screen } = await atTerminal("rollback 01_notes", [why, { after: question, text }]);
      expect(screen).toMatch(/public\.notes +30 rows/);
      expect(screen).toContain("Nothing was changed.");
      expect(code).toBe(1);
      expect(await state(shop.url)).toEqual(before);
    });

    it("no reason is no rollback", async () => {
      const { code, screen } = await atTerminal("rollback 01_notes", [{ ...why, text: "\n" }]);
      expect(code).toBe(2);
      expect(screen).toContain("a rollback needs a reason");
    });

    it("yes rolls back, with progress; undo asks too", async () => {
      const before = await state(shop.url);
      const rolledBack = await atTerminal("rollback 01_notes", [why, { after: question, text: "y\n" }]);
      expect(rolledBack.code, rolledBack.screen).toBe(0);
      expect(linesOf(rolledBack.screen)).toContain("✓ Rolled back: 01_notes");
      expect(rolledBack.screen).toContain("\r\x1b[2Karchive: ");
      const asked = { after: "Undo the rollback of 01_notes? [y/N]", text: "\n" };
      expect((await atTerminal("undo 01_notes --reason back", [asked])).code).toBe(1);
      const undone = await atTerminal("undo 01_notes --reason back", [{ ...asked, text: "yes\n" }]);
      expect(undone.code, undone.screen).toBe(0);
      expect(await state(shop.url)).toEqual(before);
    });

    it.each([80, 120])("check and dry run fit %i columns", async (columns) => {
      for (const command of ["check 01_notes", "rollback 01_notes --dry-run"]) {
        const { screen } = await atTerminal(command, [], columns);
        const tooLong = linesOf(screen).filter((line) => line.length > columns && !line.includes("file:///"));
        expect(tooLong).toEqual([]);
      }
    });

    it("--json is one document and nothing else", async () => {
      const { code, screen } = await atTerminal("check 01_notes --json", []);
      expect(code).toBe(0);
      expect(JSON.parse(screen)).toMatchObject({ migration: "01_notes" });
    });
  },
);
