import type { ArchiveInput } from "./input.ts";
import type { ArchiveLayout, TableToArchive } from "./layout.ts";

/** How far the writing of rows has come. */
export interface WriteProgress {
  /** COPY text read so far. */
  readonly bytes: number;
  add(bytes: number): void;
  tableDone(table: TableToArchive): void;
}

const reportEveryMs = 200;

/** Reports to the input's `report`, a few times a second: tables done, rate, and about how long it will take. */
export function progressOf(input: ArchiveInput, layout: ArchiveLayout): WriteProgress {
  const started = performance.now();
  const expected = layout.tables.reduce((sum, { table }) => sum + (table.sizeHint ?? 0), 0);
  const total = layout.tables.length;
  let bytes = 0;
  let done = 0;
  let doneHint = 0;
  let reported = started;
  const report = (now: number) => {
    reported = now;
    const seconds = (now - started) / 1000;
    input.report?.({
      phase: "archive",
      message: words(bytes, seconds, expected, doneHint),
      done,
      total,
      unit: "tables",
    });
  };
  return {
    get bytes() {
      return bytes;
    },
    add: (more) => {
      bytes += more;
      const now = performance.now();
      if (now - reported >= reportEveryMs) report(now);
    },
    tableDone: (table) => {
      done += 1;
      doneHint += table.sizeHint ?? 0;
      const now = performance.now();
      if (done === total || now - reported >= reportEveryMs) report(now);
    },
  };
}

/** Text is about as large as the table that holds it; better is not known before the end. */
function words(bytes: number, seconds: number, expected: number, doneHint: number): string {
  const rate = bytes / Math.max(seconds, 0.001);
  const megabytes = `${(bytes / 1e6).toFixed(0)} MB of rows at ${(rate / 1e6).toFixed(0)} MB/s`;
  const left = Math.max(0, expected - Math.max(bytes, doneHint)) / Math.max(rate, 1);
  return seconds < 2 || left < 1 ? megabytes : `${megabytes}, about ${duration(left)} left`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
