import { runDrill } from "../../drills/run-drill.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { table } from "../render/wrap.ts";
import { mark, paint } from "../terminal.ts";

export const drill: Command = {
  name: "drill",
  summary: "restore an archive into a scratch database, check it, record the verdict",
  usage: "[ARCHIVE]",
  flags: {},
  help: [["ARCHIVE", "its id; the latest when left out"]],
  words: { min: 0, max: 1 },
  run: async ({ words, terminal, belay }) => {
    const report = await runDrill(belay, { archiveId: words[0] ?? "latest" });
    terminal.settle();
    if (terminal.json) terminal.document(report);
    const passed = report.verdict === "pass";
    terminal.line(
      `${passed ? mark.yes() : mark.no()} drill ${report.drillId} of ${report.archiveId}: ${paint("bold", report.verdict)}`,
    );
    if (report.summary !== "") terminal.line(`  ${report.summary}`);
    const rows = report.checks.map((check) => [
      check.state === "passed" ? mark.yes() : check.state === "failed" ? mark.no() : mark.open(),
      check.name,
      check.state,
      `${Math.round(check.milliseconds)} ms`,
      check.evidence,
    ]);
    for (const line of table(["", "check", "state", "time", "evidence"], rows, terminal.width - 2))
      terminal.line(`  ${line}`);
    return passed ? exit.done : exit.drill;
  },
};
