import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, inject, test } from "vitest";
import { describe as told } from "../../dev/undo-corpora/print.ts";
import { walkFolder } from "../../dev/undo-corpora/walk.ts";

const corpus = fileURLToPath(new URL("../../../shared/corpora/horizon", import.meta.url));
const present = existsSync(corpus);

describe.skipIf(!present)(`published migrations${present ? "" : " (skipped: no corpora beside the checkout)"}`, () => {
  test("the first 12 of horizon, rolled back to zero over rows and undone one by one, are equal at each level", {
    timeout: 600_000,
  }, async () => {
    const counted = await walkFolder(inject("postgresUrl"), corpus, {
      corpus: "horizon",
      oldest: 12,
      limit: 12,
      rows: 3,
      seed: 1,
      progress: () => {},
    });
    expect(told(counted)).toEqual([]);
    expect(counted.walked.flatMap(({ down }) => down.refusal ?? [])).toEqual([]);
    expect(counted.chains).toEqual([12]);
    expect(counted.walked.reduce((sum, { down }) => sum + down.rowsArchived, 0)).toBeGreaterThan(30);
  });
});

test("what triggers and undo made of generated rows is taken out again with them, before the next level is looked at", async () => {
  const folder = mkdtempSync(join(tmpdir(), "belay-folder-"));
  const files = {
    "0001_teams.up.sql": `create table teams (id serial primary key, name text not null); create table notes (id int primary key, team int not null);
      create function of_team() returns trigger language plpgsql as $$ begin execute format('create table team_%s (id serial primary key, n int default 1)', new.id); return new; end $$;
      create trigger of_team after insert on teams for each row execute function of_team(); create materialized view names as select name from teams;`,
    "0001_teams.down.sql": "drop materialized view names; drop table notes; drop table teams; drop function of_team();",
    "0002_no_team.up.sql": "alter table notes drop column team;",
    // Over rows it fails, so that this level has none, and the one below it has.
    "0002_no_team.down.sql": "alter table notes add column team int not null;",
  };
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(folder, name), sql);
  try {
    const progress = () => {};
    const options = { corpus: "own", limit: 2, rows: 3, seed: 1, progress };
    const counted = await walkFolder(inject("postgresUrl"), folder, options);
    expect(told(counted)).toEqual([]);
    expect(counted.walked.map(({ down, up }) => [down.rows, up?.outcome])).toEqual([
      [2, "equal"],
      [7, "stale views"],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
