import { BelayError } from "../../shared/errors.ts";
import { incidentMarkdown } from "../../shared/rollback/incident/markdown.ts";
import { showIncident } from "../../shared/rollback/incident/show.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { renderIncident } from "../render/incident.ts";

export const incident: Command = {
  name: "incident",
  summary: "the incident report of a rollback or an undo: what, why, who, timeline, loss, archive, how to undo",
  usage: "ROLLBACK|MIGRATION|latest",
  flags: { markdown: { type: "boolean" } },
  help: [["--markdown", "as Markdown, for a post-mortem"]],
  words: { min: 1, max: 1 },
  run: async ({ words, flags, terminal, belay }) => {
    if (flags.markdown === true && terminal.json)
      throw new BelayError("usage", "--markdown and --json exclude each other", { hint: "Pass one of them." });
    const found = await showIncident(belay, words[0]!);
    if (terminal.json) terminal.document(found);
    else if (flags.markdown === true) terminal.print(incidentMarkdown(found).trimEnd());
    else for (const line of renderIncident(found, terminal.width)) terminal.line(line);
    return exit.done;
  },
};
