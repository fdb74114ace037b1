import { BelayError } from "../shared/errors.ts";

/** A cron expression as sets of allowed values; times are UTC. */
export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** When day and weekday are both restricted, either one is enough (POSIX crontab). */
  readonly eitherDay: boolean;
}

const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Parses the five fields of POSIX crontab with steps and names; throws `usage` that names the wrong field. */
export function parseCron(expression: string): Cron {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5)
    throw wrong(expression, `it has ${fields.length} fields and needs 5: minute, hour, day, month, weekday`);
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  const read = (field: string, name: string, low: number, high: number, names: string[] = []) => {
    const values = parseField(field.toLowerCase(), low, high, names);
    if (values === null) throw wrong(expression, `the ${name} ${JSON.stringify(field)} is not in ${low}-${high}`);
    return values;
  };
  const weekdays = read(weekday, "weekday", 0, 7, dayNames);
  return {
    minutes: read(minute, "minute", 0, 59),
    hours: read(hour, "hour", 0, 23),
    days: read(day, "day of month", 1, 31),
    months: read(month, "month", 1, 12, ["", ...monthNames]),
    weekdays: new Set([...weekdays].map((value) => value % 7)),
    eitherDay: !day.startsWith("*") && !weekday.startsWith("*"),
  };
}

export function cronMatches(cron: Cron, at: Date): boolean {
  const day = cron.days.has(at.getUTCDate());
  const weekday = cron.weekdays.has(at.getUTCDay());
  return (
    cron.minutes.has(at.getUTCMinutes()) &&
    cron.hours.has(at.getUTCHours()) &&
    cron.months.has(at.getUTCMonth() + 1) &&
    (cron.eitherDay ? day || weekday : day && weekday)
  );
}

/** The latest minute after `after`, up to and with `now`, at which the expression falls due; null when there is none. */
export function latestDue(cron: Cron, after: Date, now: Date): Date | null {
  const minute = 60_000;
  for (let at = Math.floor(now.getTime() / minute) * minute; at > after.getTime(); at -= minute)
    if (cronMatches(cron, new Date(at))) return new Date(at);
  return null;
}

function parseField(field: string, low: number, high: number, names: string[]): Set<number> | null {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const match = /^(\*|[a-z0-9]+(?:-[a-z0-9]+)?)(?:\/(\d{1,3}))?$/.exec(part);
    if (match === null) return null;
    const [, range, stepText] = match as unknown as [string, string, string | undefined];
    const step = stepText === undefined ? 1 : Number(stepText);
    const bounds = parseRange(range, low, high, names, stepText !== undefined);
    if (bounds === null || step < 1) return null;
    for (let value = bounds[0]; value <= bounds[1]; value += step) values.add(value);
  }
  return values;
}

function parseRange(
  range: string,
  low: number,
  high: number,
  names: string[],
  stepped: boolean,
): [number, number] | null {
  if (range === "*") return [low, high];
  const ends = range.split("-").map((text) => parseValue(text, names));
  const [from, to = stepped ? high : from] = ends as [number, number | undefined];
  const inside = (value: number | undefined) => value !== undefined && value >= low && value <= high;
  return inside(from) && inside(to) && from <= to! ? [from, to!] : null;
}

function parseValue(text: string, names: string[]): number {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  const index = text === "" ? -1 : names.indexOf(text);
  return index === -1 ? Number.NaN : index;
}

function wrong(expression: string, why: string): BelayError {
  return new BelayError("usage", `the cron expression ${JSON.stringify(expression)} is not valid: ${why}`, {
    hint: "For example `0 3 * * *` for every day at 03:00 UTC.",
  });
}
