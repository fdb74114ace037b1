import { BelayError } from "../../shared/errors.ts";
import {
  endMaintenance,
  type Maintenance,
  maintenanceStatus,
  startMaintenance,
} from "../../shared/rollback/hooks/maintenance.ts";
import type { Command, FlagValues } from "../command.ts";
import { exit } from "../exit.ts";
import { printable } from "../render/printable.ts";
import { mark, moment } from "../terminal.ts";

const defaultMinutes = 60;

export const maintenance: Command = {
  name: "maintenance",
  summary: "switch the row on or off that applications may read; see docs/hooks.md",
  usage: "on|off|status",
  flags: { reason: { type: "string" }, minutes: { type: "string" } },
  help: [
    ["--reason TEXT", "what applications read as the reason"],
    ["--minutes N", `after which it ends by itself (default ${defaultMinutes})`],
  ],
  words: { min: 1, max: 1 },
  run: async ({ words, flags, terminal, belay }) => {
    const [word] = words;
    if (word !== "on" && word !== "off" && word !== "status")
      throw new BelayError("usage", `belay maintenance does not know ${word}`, {
        hint: "belay maintenance on, off or status",
      });
    const now =
      word === "status"
        ? await maintenanceStatus(belay)
        : word === "off"
          ? await endMaintenance(belay)
          : await startMaintenance(belay, { message: reasonOf(flags), minutes: minutesOf(flags) });
    if (terminal.json) terminal.document(now);
    terminal.line(stateWords(now));
    return exit.done;
  },
};

function stateWords({ active, reason, since, expectedUntil, rollbackId, setBy, expired }: Maintenance): string {
  if (!active)
    return `${mark.open()} maintenance is off${expired ? `: it ended by itself ${moment(expectedUntil)}` : ""}`;
  const whose = rollbackId === null ? `by ${printable(setBy)}` : `by the rollback ${rollbackId}`;
  return `${mark.yes()} maintenance is on since ${moment(since)} ${whose}, until ${moment(expectedUntil)} at the latest: ${printable(reason)}`;
}

function reasonOf({ reason }: FlagValues): string {
  if (typeof reason === "string" && reason.trim() !== "") return reason;
  throw new BelayError("usage", "maintenance needs a reason: applications read it", { hint: 'Pass --reason "...".' });
}

function minutesOf({ minutes }: FlagValues): number {
  const number = minutes === undefined ? defaultMinutes : Number(minutes);
  if (Number.isFinite(number) && number >= 1 && number <= 7 * 24 * 60) return number;
  throw new BelayError("usage", `--minutes ${String(minutes)} is not a number of minutes from 1 to ${7 * 24 * 60}`, {
    hint: "Pass --minutes 30.",
  });
}
