import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { bytes, count, mark } from "../terminal.ts";

export const dump: Command = {
  name: "dump",
  summary: "archive the whole database, read back and verified",
  usage: "",
  flags: { reason: { type: "string" } },
  help: [["--reason TEXT", "why, for the record"]],
  words: { min: 0, max: 0 },
  run: async ({ flags, terminal, belay }) => {
    const reason = typeof flags.reason === "string" ? flags.reason : "belay dump";
    const manifest = await dumpDatabase(belay, { reason });
    terminal.settle();
    if (terminal.json) terminal.document(manifest);
    const rows = manifest.tables.reduce((sum, one) => sum + one.rows, 0);
    const stored = manifest.objects.reduce((sum, one) => sum + one.bytes, 0);
    terminal.line(
      `${mark.yes()} ${manifest.id}: ${count(manifest.tables.length, "table")}, ${count(rows, "row")}, ${bytes(stored)} stored and read back`,
    );
    if (manifest.roles.includes("supabase_admin"))
      terminal.line(
        "  note: the platform's own schemas are in it (auth, storage...): restore it on a server of your own, not into a Supabase project",
      );
    return exit.done;
  },
};
