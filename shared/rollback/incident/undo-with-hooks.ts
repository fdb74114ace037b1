import type { Belay } from "../../context.ts";
import type { Observe } from "../execute/types.ts";
import { type UndoRequest, undoRollback } from "../undo/undo.ts";
import { runWithHooks } from "./run-with-hooks.ts";
import type { Ran } from "./types.ts";

export interface HookedUndoRequest extends UndoRequest {
  /** Switch maintenance on although the policy does not. */
  readonly maintenance?: boolean;
}

/** Undoes a rollback with maintenance, hooks, health checks, messages and an incident report. Health checks never undo an undo. */
export function undoWithHooks(
  belay: Belay,
  { maintenance = false, ...request }: HookedUndoRequest,
  observe: Observe = () => {},
): Promise<Ran> {
  const { policy } = belay.settings;
  return runWithHooks(
    belay,
    { kind: "undo", reason: request.reason, policy, maintenance },
    { run: (look) => undoRollback(belay, request, look), undo: async () => null },
    observe,
  );
}
