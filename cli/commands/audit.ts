import { verifyAudit } from "../../shared/audit.ts";
import { BelayError } from "../../shared/errors.ts";
import { withSession } from "../../shared/with-session.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { count, mark } from "../terminal.ts";

export const audit: Command = {
  name: "audit",
  summary: "check the hash chain of the audit log",
  usage: "verify",
  flags: {},
  help: [],
  words: { min: 1, max: 1 },
  run: async ({ words, terminal, belay }) => {
    if (words[0] !== "verify")
      throw new BelayError("usage", `belay audit does not know ${words[0]}`, { hint: "belay audit verify" });
    return withSession(belay, "belay audit", async (session) => {
      const result = await verifyAudit(session);
      if (terminal.json) terminal.document(result);
      terminal.line(
        result.ok
          ? `${mark.yes()} audit log: ${count(result.rows, "row")}, chain intact`
          : `${mark.no()} audit log: ${result.problem}`,
      );
      return result.ok ? exit.done : exit.failed;
    });
  },
};
