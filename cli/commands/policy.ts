import { BelayError } from "../../shared/errors.ts";
import { planHash } from "../../shared/rollback/plan/hash.ts";
import { policyJsonSchema } from "../../shared/rollback/plan/parse-policy.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { renderPolicy } from "../render/policy.ts";

export const policy: Command = {
  name: "policy",
  summary: "which risk needs which gate: the policy in effect, checked; or its JSON Schema for editors",
  usage: "[schema]",
  flags: {},
  help: [],
  words: { min: 0, max: 1 },
  run: async ({ words, terminal, belay, policyFile }) => {
    if (words.length === 1 && words[0] !== "schema")
      throw new BelayError("usage", `belay policy does not know ${words[0]}`, {
        hint: "belay policy, or belay policy schema",
      });
    if (words[0] === "schema") {
      terminal.print(JSON.stringify(policyJsonSchema(), null, 2));
      return exit.done;
    }
    const { policy: inEffect } = belay.settings;
    if (terminal.json) terminal.document({ file: policyFile, digest: planHash(inEffect), policy: inEffect });
    for (const line of renderPolicy(inEffect, policyFile, terminal.width)) terminal.line(line);
    return exit.done;
  },
};
