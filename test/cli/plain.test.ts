import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../support/belay.ts";
import { databaseUrl, runSql, serverUrl } from "../support/postgres.ts";
import { belay } from "./support.ts";

const script = `--\n-- PostgreSQL database dump\n--\n
CREATE TABLE public.animals (id integer, name text);
COPY public.animals (id, name) FROM stdin;
1\tcat
2\tdog
\\.
INSERT INTO public.animals VALUES (3, 'owl');
ALTER TABLE public.animals ADD CONSTRAINT animals_pkey PRIMARY KEY (id);
--\n-- PostgreSQL database dump complete\n--\n`;

describe("belay with a plain SQL script", () => {
  let file: string;
  beforeAll(() => {
    file = join(temporaryFolder(), "animals.sql.gz");
    writeFileSync(file, gzipSync(script));
  });

  it("archives show says what is in it, for people and as JSON", async () => {
    const shown = await belay(["archives", "show", file]);
    expect(shown.out).toMatch(/Holds +4 statements, 3 rows, 1 row by INSERT/);
    expect(shown.out).toMatch(/public\.animals +3 rows/);
    const { out } = await belay(["archives", "show", pathToFileURL(file).href, "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      format: "plain",
      complete: true,
      tables: [{ schema: "public", table: "animals", rows: 3 }],
    });
  });

  it("restore --create makes the database and says what came in; an error names the line", async () => {
    const name = `test_plain_${process.pid}`;
    const url = databaseUrl(await serverUrl(), name);
    onTestFinished(async () => runSql(await serverUrl(), `drop database if exists ${name} with (force)`));
    const restored = await belay(["restore", file, "--into", url, "--create", "--json"]);
    expect(restored.code, restored.error).toBe(0);
    expect(JSON.parse(restored.out)).toMatchObject({ format: "plain", tables: 1, rows: 3, warnings: [] });
    const again = await belay(["restore", file, "--into", url]);
    expect(again.code).not.toBe(0);
    expect(again.error).toContain("is not empty");
    const twice = await belay(["restore", file, "--into", url, "--into-non-empty"]);
    expect(twice.code).not.toBe(0);
    expect(twice.error).toContain("animals.sql.gz:5 (CREATE TABLE public.animals)");
    expect(twice.error).toContain("restore again");
  });
});
