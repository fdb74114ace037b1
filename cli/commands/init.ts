import { belayInstalled, installBelay } from "../../shared/install.ts";
import { withSession } from "../../shared/with-session.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { mark } from "../terminal.ts";

export const init: Command = {
  name: "init",
  summary: "install the schema belay in the database",
  usage: "",
  flags: {},
  help: [],
  words: { min: 0, max: 0 },
  run: async ({ terminal, belay }) => {
    return withSession(belay, "belay init", async (session) => {
      const present = await belayInstalled(session);
      if (!present) await installBelay(session);
      if (terminal.json) terminal.document({ installed: !present, schema: "belay" });
      terminal.line(present ? `${mark.yes()} schema belay is there already` : `${mark.yes()} schema belay installed`);
      return exit.done;
    });
  },
};
