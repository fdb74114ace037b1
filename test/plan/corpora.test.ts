import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Told, walkFolder } from "../../dev/effect-corpora/walk.ts";
import { createDatabase } from "../support/postgres.ts";

const corpora = new URL("../../../shared/corpora/", import.meta.url);

/** A sample: `npm run effect:corpora` does all. */
const samples = [
  { project: "horizon", every: 4 },
  { project: "cratesio", every: 12, most: 130 },
  { project: "concourse", every: 9, most: 110 },
  { project: "kratos", every: 16, most: 200 },
  { project: "openmeter", every: 9, most: 60 },
];

describe.skipIf(!existsSync(corpora))(
  "rollbacks that teams published, told and then run over generated rows (needs ../shared/corpora)",
  () => {
    for (const { project, every, most } of samples)
      it(`${project}, one in ${every}: what was told happens, and nothing else`, { timeout: 120_000 }, async () => {
        const database = await createDatabase({ major: 15 });
        const told: Told[] = [];
        try {
          const folder = fileURLToPath(new URL(`${project}/`, corpora));
          await walkFolder(database.url, folder, { every, most, onTold: (one) => void told.push(one) });
        } finally {
          await database.drop();
        }
        const wrong = told.filter(({ outcome }) => outcome === "wrong");
        expect(wrong.flatMap(({ migration, wrong: lines }) => lines.map((line) => `${migration}: ${line}`))).toEqual(
          [],
        );
        expect(told.filter(({ outcome }) => outcome === "equal").length).toBeGreaterThan(2);
        expect(told.filter(({ overRows }) => overRows).length).toBeGreaterThan(2);
      });
  },
);
