import type { Session } from "../../../postgres/session.ts";

/** As many SELECTs as the server takes in one UNION ALL without running out of stack. */
const most = 200;

/** Runs SELECTs of one shape together and answers all their rows; none for none. */
export async function selectAll<T>(session: Session, selects: readonly string[]): Promise<T[]> {
  const rows: T[] = [];
  for (let from = 0; from < selects.length; from += most) {
    const text = selects.slice(from, from + most).join(" union all ");
    rows.push(...((await session.run(text)) as unknown as T[]));
  }
  return rows;
}
