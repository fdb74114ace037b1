import { z } from "zod";

const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const time = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, "must be a time such as 22:00, or 24:00");

/** When rollbacks may run, by the wall clocks of a time zone; `from` later than `to` goes on into the next day. */
export const maintenanceWindowSchema = z
  .strictObject({
    timeZone: z
      .string()
      .refine(isTimeZone, "must be a time zone such as Europe/Berlin or UTC")
      .describe("IANA name: Europe/Berlin, UTC..."),
    days: z.array(z.enum(dayNames)).min(1).describe("Days on which the window begins"),
    from: time.describe("Begin, included"),
    to: time.describe("End, not included; 24:00 is midnight"),
  })
  .refine(({ from, to }) => from !== to, "from and to are the same time: for a whole day write 00:00 and 24:00");
export type MaintenanceWindow = z.infer<typeof maintenanceWindowSchema>;

/** Whether a window is open at a moment, and when the next one opens or this one closes; null: not within 15 days. */
export interface WindowState {
  readonly open: MaintenanceWindow | null;
  readonly changesAt: Date | null;
}

const minuteMs = 60_000;
const horizonMinutes = 15 * 24 * 60;

/** Looks minute by minute at the zones' own clocks, so that summer time is as Intl's tables say. */
export function windowState(windows: readonly MaintenanceWindow[], now: Date): WindowState {
  const clocks = windows.map((window) => ({ window, clock: clockOf(window.timeZone) }));
  const openAt = (at: Date) => clocks.find(({ window, clock }) => holds(window, clock(at)))?.window ?? null;
  const open = openAt(now);
  const start = Math.floor(now.getTime() / minuteMs) * minuteMs;
  for (let minute = 1; minute <= horizonMinutes; minute++) {
    const at = new Date(start + minute * minuteMs);
    if ((openAt(at) === null) !== (open === null)) return { open, changesAt: at };
  }
  return { open, changesAt: null };
}

/** A window in words: `mon, tue 22:00-02:00 Europe/Berlin`. */
export function windowText({ timeZone, days, from, to }: MaintenanceWindow): string {
  return `${days.length === 7 ? "every day" : days.join(", ")} ${from}-${to} ${timeZone}`;
}

interface WallClock {
  readonly day: number;
  readonly minutes: number;
}

function holds({ days, from, to }: MaintenanceWindow, { day, minutes }: WallClock): boolean {
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  const on = (index: number) => days.includes(dayNames[(index + 7) % 7]!);
  if (begin < end) return on(day) && minutes >= begin && minutes < end;
  return (on(day) && minutes >= begin) || (on(day - 1) && minutes < end);
}

function minutesOf(text: string): number {
  const [hours, minutes] = text.split(":").map(Number);
  return hours! * 60 + minutes!;
}

function clockOf(timeZone: string): (at: Date) => WallClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    return {
      day: dayNames.indexOf(parts.weekday!.toLowerCase() as (typeof dayNames)[number]),
      minutes: Number(parts.hour) * 60 + Number(parts.minute),
    };
  };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
