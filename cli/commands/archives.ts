import { BelayError } from "../../shared/errors.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitCode } from "../exit.ts";
import { listArchives } from "./archives/list.ts";
import { showArchive } from "./archives/show.ts";
import { verify } from "./archives/verify.ts";

/** What may be done with archives; each takes the word behind its name. */
const actions: Readonly<Record<string, (invocation: Invocation, word: string | undefined) => Promise<ExitCode>>> = {
  list: listArchives,
  show: (invocation, word) => showArchive(invocation, needed("show", word)),
  verify: (invocation, word) => verify(invocation, needed("verify", word)),
};

export const archives: Command = {
  name: "archives",
  summary: "list archives, show one, or read every byte of one again",
  usage: "[list [STORE_URL] | show ARCHIVE_OR_URL | verify ARCHIVE_OR_URL]",
  flags: {},
  help: [
    ["STORE_URL", "another store than --store: s3://... or file:///dir"],
    [
      "ARCHIVE_OR_URL",
      "an archive's id, or the file:// or s3:// place or the path of any: Belay's, pg_dump's, plain SQL",
    ],
  ],
  words: { min: 0, max: 2 },
  run: async (invocation) => {
    const [action = "list", word] = invocation.words;
    const run = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (run === undefined)
      throw new BelayError("usage", `belay archives does not know ${invocation.words.join(" ")}`, {
        hint: "belay archives list, belay archives show ARCHIVE or belay archives verify ARCHIVE",
      });
    return await run(invocation, word);
  },
};

function needed(action: string, word: string | undefined): string {
  if (word !== undefined) return word;
  throw new BelayError("usage", `belay archives ${action} needs an archive`, {
    hint: "Name its id, or the file:// or s3:// place of any archive. `belay archives list` lists those of the store.",
  });
}
