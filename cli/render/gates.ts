import type { ChecklistItem, Gate as NamedGate } from "../../shared/rollback/gate-types.ts";
import { mark, paint } from "../terminal.ts";
import { hang } from "./wrap.ts";

/** A gate of a rollback or of an undo. */
type Gate = Omit<NamedGate, "name"> & { readonly name: string };

/** Each gate that stops the rollback: its evidence, and what to do about it. */
export function renderBlocking(gates: readonly Gate[], width: number): string[] {
  const blocking = gates.filter((gate) => gate.blocking);
  if (blocking.length === 0) return [];
  return [
    "",
    paint("bold", "Blocking reason"),
    ...blocking.flatMap((gate) => [
      ...hang(`  ${mark.no()} ${gate.name}: `, gate.evidence, width),
      ...renderNext(gate, width),
    ]),
  ];
}

/** The five questions of a rollback checklist, each with the evidence that answers it. */
export function renderChecklist(checklist: readonly ChecklistItem[], width: number): string[] {
  const signs = { yes: mark.yes, no: mark.no, unknown: mark.open };
  const longest = Math.max(...checklist.map(({ question }) => question.length));
  return [
    paint("bold", "Checklist"),
    ...checklist.flatMap(({ question, answer, evidence }) =>
      hang(`  ${signs[answer]()} ${question.padEnd(longest)} ${answer.padEnd(7)} `, evidence, width),
    ),
  ];
}

/**
 * Every gate with its evidence. Those that stop the rollback are shown above, those that were not asked for or have no
 * record are only named.
 */
export function renderGates(gates: readonly Gate[], width: number): string[] {
  const blocking = gates.filter((gate) => gate.blocking);
  const rest = gates.filter((gate) => !gate.blocking);
  const off = rest.filter((gate) => gate.requirement === "off" && gate.state !== "passed" && gate.state !== "waived");
  const without = rest.filter((gate) => gate.state === "not_available" && !off.includes(gate));
  const known = rest.filter((gate) => !off.includes(gate) && !without.includes(gate));
  const longest = Math.max(0, ...known.map(({ name }) => name.length));
  const named = (label: string, some: readonly Gate[]) =>
    some.length === 0 ? [] : hang(`  ${label}: `, some.map(({ name }) => name).join(", "), width);
  return [
    paint("bold", "Gates"),
    ...named(`${mark.no()} in the way`, blocking),
    ...known.flatMap((gate) => renderGate(gate, longest, width)),
    ...named(`${mark.open()} not available, so not counted as passed`, without),
    ...named(`${mark.open()} not asked for by the policy at this risk`, off),
  ];
}

/** Advice longer than this is left to --json: what only advises must not hide what is in the way. */
const adviceColumns = 80;

function renderGate(gate: Gate, longest: number, width: number): string[] {
  const { name, state, evidence, waiver, requirement } = gate;
  const by = waiver === null ? "" : `; waived by ${waiver.by}${waiver.reason === null ? "" : `: ${waiver.reason}`}`;
  const advised =
    requirement === "advised" && (state === "failed" || state === "unknown") ? " (advised, does not stop it)" : "";
  const long = requirement === "advised" && (gate.next?.length ?? 0) > adviceColumns;
  const settled = state === "passed" || state === "waived" || gate.next === "Nothing to do." || long;
  return [
    ...hang(`  ${sign(gate)} ${name.padEnd(longest)} ${state.padEnd(7)} `, `${evidence}${by}${advised}`, width),
    ...(settled ? [] : renderNext(gate, width)),
  ];
}

function renderNext(gate: Gate, width: number): string[] {
  return gate.next === null ? [] : gate.next.split("\n").flatMap((line) => hang("    → ", line, width));
}

function sign({ state, requirement }: Gate): string {
  if (state === "passed" || state === "waived") return mark.yes();
  return state === "failed" && requirement !== "advised" ? mark.no() : mark.open();
}
