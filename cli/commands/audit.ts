import { BelayError } from "../../shared/errors.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitCode } from "../exit.ts";
import { anchor } from "./audit/anchor.ts";
import { exportLog } from "./audit/export.ts";
import { verify } from "./audit/verify.ts";

const text = { type: "string" } as const;

const actions: Readonly<Record<string, (invocation: Invocation) => Promise<ExitCode>>> = {
  verify,
  anchor,
  export: exportLog,
};

/** Which flags belong to which action. */
const flagsOf: Readonly<Record<string, readonly string[]>> = {
  verify: ["file", "expect", "key"],
  anchor: ["after-restore", "reason"],
  export: ["from", "to", "format", "output"],
};

export const audit: Command = {
  name: "audit",
  summary: "verify the audit log against what the store keeps, anchor its head, export it",
  usage: "verify | anchor | export",
  flags: {
    file: text,
    expect: text,
    key: text,
    "after-restore": { type: "boolean" },
    reason: text,
    from: text,
    to: text,
    format: text,
    output: text,
  },
  help: [
    ["verify --file FILE", "verify an export, without a database"],
    [
      "verify --expect ID:HASH",
      "a row's hash that you noted elsewhere: the last line of `audit anchor` and of every verify",
    ],
    ["verify --key KEY", "public key (Ed25519, SPKI in base64) by which each anchor and receipt must be signed"],
    ["anchor", "put the log's head into the store, and receipts that are not written yet; for a schedule"],
    [
      "anchor --after-restore --reason TEXT",
      "the database was restored to an earlier moment: say so, and go on from there",
    ],
    ["export --from ID --to ID", "a part of the log; default all"],
    ["export --format jsonl|csv", "default jsonl"],
    ["export --output FILE", "default standard output"],
  ],
  words: { min: 1, max: 1 },
  run: async (invocation) => {
    const [word = ""] = invocation.words;
    const run = Object.hasOwn(actions, word) ? actions[word] : undefined;
    if (run === undefined)
      throw new BelayError("usage", `belay audit does not know ${word}`, {
        hint: "belay audit verify, belay audit anchor or belay audit export",
      });
    const own = flagsOf[word]!;
    const others = Object.values(flagsOf).flat();
    const foreign = others.find((name) => !own.includes(name) && invocation.flags[name] !== undefined);
    if (foreign !== undefined)
      throw new BelayError("usage", `belay audit ${word} does not take --${foreign}`, {
        hint: "See: belay audit --help",
      });
    return await run(invocation);
  },
};
