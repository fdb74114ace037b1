import type { Catalog } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { DependencyGraph } from "../effect/dependency-graph.ts";
import type { ResolvedEffect } from "../effect/effect.ts";
import type { PreparedUnit } from "../plan/set-sql.ts";
import type { PreserveMode } from "../types.ts";
import { type Quarantined, quarantine } from "./quarantine.ts";

/** A set's SQL and effect as they are when what goes is preserved in this way. */
export async function preserving(
  session: Session,
  mode: PreserveMode,
  input: {
    readonly units: readonly PreparedUnit[];
    readonly effect: ResolvedEffect;
    readonly graph: DependencyGraph;
    readonly catalog: Catalog;
  },
): Promise<Quarantined> {
  if (mode === "quarantine") return await quarantine(session, input);
  const { units, effect } = input;
  return { units, effect, preserve: { mode, schema: null, kept: [], notes: [] } };
}
