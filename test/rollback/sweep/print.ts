import type { Outcome } from "./try-one.ts";

/** One line for a migration that held, more for one that did not. */
export function printOutcome({ migration, refusal, passed, wrong, destroyed, ways, unseeded }: Outcome): void {
  const how = refusal === null ? "clean" : `${refusal.right ? "refused rightly" : "REFUSED WRONGLY?"}: ${refusal.code}`;
  const rest = [
    passed.length > 0 ? `then let pass: ${passed.join(", ")}` : "",
    destroyed > 0 ? `${destroyed} losses archived` : "",
    ways.length > 0 ? ways.map((way) => (way.includes("forward") ? "F" : "E")).join("") : "",
    unseeded.length > 0 ? `no rows in ${unseeded.join(" ")}` : "",
  ].filter((part) => part !== "");
  console.log(`${wrong.length > 0 ? "WRONG " : ""}${migration}: ${[how, ...rest].join("; ")}`);
  if (refusal !== null) console.log(`    ${refusal.message.slice(0, 1200)}\n    because: ${refusal.why.slice(0, 300)}`);
  for (const line of wrong.slice(0, 10)) console.log(`    ! ${line.slice(0, 1500)}`);
}

export function printSummary(corpus: string, outcomes: readonly Outcome[]): void {
  const count = (test: (outcome: Outcome) => boolean) => outcomes.filter(test).length;
  const refusals = new Map<string, number>();
  for (const { refusal } of outcomes)
    if (refusal !== null) {
      const key = `${refusal.right ? "rightly" : "wrongly?"} ${refusal.code}`;
      refusals.set(key, (refusals.get(key) ?? 0) + 1);
    }
  console.log(`\n${corpus}: ${outcomes.length} migrations`);
  console.log(
    `  rolled back and undone cleanly: ${count(({ refusal, wrong }) => refusal === null && wrong.length === 0)}`,
  );
  for (const [key, rows] of [...refusals].sort()) console.log(`  refused ${key}: ${rows}`);
  console.log(`  with a wrong result: ${count(({ wrong }) => wrong.length > 0)}`);
  console.log(`  destroyed or changed rows: ${count(({ destroyed }) => destroyed > 0)}`);
  for (const name of ["plan", "rollback", "undo"] as const) {
    const times = outcomes.flatMap(({ ms }) => ms[name] ?? []).sort((a, b) => a - b);
    if (times.length > 0)
      console.log(
        `  ${name}: median ${times[Math.floor(times.length / 2)]!.toFixed(0)} ms, longest ${times.at(-1)!.toFixed(0)} ms`,
      );
  }
}
