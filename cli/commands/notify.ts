import { tellTeam } from "../../shared/rollback/agree/tell-team.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { targetFlags, targetHelp, targetOf, targetUsage } from "../target.ts";
import { mark } from "../terminal.ts";

export const notify: Command = {
  name: "notify",
  summary: "tell the team of a rollback's plan (BELAY_NOTIFY_URL), on record",
  usage: targetUsage,
  flags: { ...targetFlags, reason: { type: "string" }, waive: { type: "string", multiple: true } },
  help: [
    ...targetHelp,
    ["--reason TEXT", "why it is rolled back, for the message"],
    ["--waive GATE", "the waivers that the plan has: they are part of it (repeatable)"],
  ],
  words: { min: 0, max: 1_000 },
  run: async (invocation) => {
    const { words, flags, terminal, belay } = invocation;
    const { notifyUrl, notifySecret } = belay.settings;
    const target = notifyUrl === undefined ? null : { url: notifyUrl, secret: notifySecret ?? null };
    const waive = Array.isArray(flags.waive) ? (flags.waive as string[]) : [];
    const reason = typeof flags.reason === "string" ? flags.reason : undefined;
    const folder = await invocation.folderIfAny();
    const sent = await tellTeam(belay, target, { ...targetOf(words, flags), waive, reason, folder });
    terminal.settle();
    if (terminal.json) terminal.document(sent);
    terminal.line(`${mark.yes()} ${sent.address} took the message (${sent.status}) about plan ${sent.planHash}`);
    return exit.done;
  },
};
