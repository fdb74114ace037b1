import { z } from "zod";
import { preserveModeSchema } from "../../shared/rollback/types.ts";
import { plainText } from "../../shared/text.ts";

const name = plainText(500);

/** What to roll back, in a body: exactly one of them, which the verb checks. */
export const targetBody = {
  migration: name.optional().describe("Name, file name or version, or `latest`"),
  migrations: z.array(name).min(1).max(1_000).optional().describe("Several, in any order, as one set"),
  to: name.optional().describe("Name or version: all applied migrations after it, as one set"),
  deployment: name.optional().describe("Belay's id of a deployment, or the platform's: what came with it"),
  archive: z
    .array(name)
    .max(1_000)
    .optional()
    .describe("Tables, schema.table, to archive whole too: SQL that hides what it does may change or drop them"),
  preserve: preserveModeSchema
    .optional()
    .describe(
      "quarantine: plainly dropped tables and types are moved to a private schema; copy: lost rows are kept in one too",
    ),
};

/** The same in a query; several names with commas between. */
export const targetQuery = {
  ...targetBody,
  migrations: plainText(20_000)
    .transform((text) => text.split(",").filter((each) => each !== ""))
    .optional()
    .describe("Several names with commas between, as one set"),
  archive: plainText(20_000)
    .transform((text) => text.split(",").filter((each) => each !== ""))
    .optional()
    .describe("Tables to archive whole too, with commas between"),
};
