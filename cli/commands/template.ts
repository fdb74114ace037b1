import { proposeTemplate } from "../../shared/migrations/template.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { hang } from "../render/wrap.ts";
import { mark, paint } from "../terminal.ts";

export const template: Command = {
  name: "template",
  summary: "propose rollback SQL, tried on a scratch copy and marked proved or not",
  usage: "MIGRATION",
  flags: {},
  help: [],
  words: { min: 1, max: 1 },
  run: async ({ words, terminal, belay, folderIfAny }) => {
    const proposal = await proposeTemplate(belay, words[0]!, await folderIfAny());
    terminal.settle();
    if (terminal.json) terminal.document(proposal);
    const proved = proposal.state === "proved";
    terminal.line(
      `${proved ? mark.yes() : mark.open()} ${paint("bold", proposal.migration)}: ${proposal.state.replaceAll("_", " ")}`,
    );
    const lines = [
      ...hang("  ", proposal.message, terminal.width),
      ...proposal.dataLoss.flatMap((loss) => hang("  loses: ", loss, terminal.width)),
      ...proposal.differences.flatMap((difference) => hang("  differs: ", difference, terminal.width)),
    ];
    for (const line of lines) terminal.line(line);
    if (proposal.text !== null) {
      terminal.line();
      terminal.line(proposal.text.trimEnd());
    }
    return proved || proposal.state === "nothing_to_do" ? exit.done : exit.failed;
  },
};
