import { isBelayError } from "../errors.ts";
import { mapPooled } from "../pool.ts";
import type { ObjectStore } from "../store/types.ts";
import { plural } from "../words.ts";
import { readAnchor } from "./anchor.ts";
import { anchoredIds, anchorKey, linePrefix, linesOf, prefixOf, sourcePrefix } from "./places.ts";
import { type Sealed, signatureProblem } from "./sealed.ts";
import type { Anchor, AuditSource } from "./types.ts";
import type { Problems } from "./walk.ts";

/** Anchors that are read at the same time. */
const readsAtOnce = 8;
/** Anchors that are held at a time. */
const windowSize = 64;

/** Where anchors of a history lie, in the rows' order; `upTo`: those above are of another history. */
export interface AnchorMap {
  readonly refs: readonly { readonly id: number; readonly key: string }[];
  readonly notes: readonly string[];
  readonly left: readonly LeftHistory[];
}

/** A history that a restore left: its rows above `above`, written until `at`. */
export interface LeftHistory {
  readonly above: number;
  readonly at: string;
}

/** The newest anchor as the database remembers it. */
export interface Remembered {
  readonly id: number;
  readonly key: string;
  readonly sha256: string;
}

interface Joint {
  readonly prefix: string;
  readonly upTo: number;
}

const mostLines = 1_000;

/**
 * Finds all anchors of a database's history: of its newest line, and of the lines that one continues, of the database
 * that it was copied or upgraded from too. Throws the store's errors.
 */
export async function mapAnchors(
  store: ObjectStore,
  source: Pick<AuditSource, "systemIdentifier" | "databaseOid">,
  remembered: Remembered | null,
  problems: Problems,
): Promise<AnchorMap> {
  const lines = await linesOf(store, source);
  const notes: string[] = [];
  const left: LeftHistory[] = [];
  const refs: { id: number; key: string }[] = [];
  const seen = new Set<string>();
  let joint: Joint | null =
    lines.length > 0
      ? { prefix: linePrefix(source, lines.at(-1)!), upTo: Number.POSITIVE_INFINITY }
      : remembered === null
        ? null
        : { prefix: prefixOf(remembered.key), upTo: remembered.id };
  while (joint !== null && !seen.has(joint.prefix) && seen.size < mostLines) {
    seen.add(joint.prefix);
    const ids = await anchoredIds(store, joint.prefix);
    const { prefix, upTo }: Joint = joint;
    const within = ids.filter((id) => id <= upTo);
    refs.push(...within.map((id) => ({ id, key: anchorKey(prefix, id) })));
    const above = ids.length - within.length;
    if (above > 0)
      notes.push(
        prefix.startsWith(sourcePrefix(source))
          ? `${plural(above, "anchor")} above row ${upTo} ${isOrAre(above)} of a history that was left by a restore`
          : `${plural(above, "newer anchor")} ${isOrAre(above)} of the database that this one is a copy of`,
      );
    joint = await jointBelow(store, prefix, ids[0], { notes, left }, problems);
  }
  for (const line of lines.filter((line) => !seen.has(linePrefix(source, line))))
    problems.add("anchor_missing", null, `nothing says what became of the anchors under ${linePrefix(source, line)}`);
  const known = new Set(refs.map(({ key }) => key));
  if (remembered !== null && !known.has(remembered.key))
    problems.add("anchor_missing", remembered.id, `the anchor of row ${remembered.id} is gone from the store`);
  return { refs: refs.sort((a, b) => a.id - b.id), notes, left };
}

const isOrAre = (count: number) => (count === 1 ? "is" : "are");

/** What the first anchor of a line says it continues. */
async function jointBelow(
  store: ObjectStore,
  prefix: string,
  first: number | undefined,
  told: { readonly notes: string[]; readonly left: LeftHistory[] },
  problems: Problems,
): Promise<Joint | null> {
  if (first === undefined) return null;
  const anchor = await readOrTell(store, anchorKey(prefix, first), problems);
  if (anchor === null) return null;
  const { left, previous, anchoredAt, anchoredBy } = anchor.document;
  if (left !== null) {
    told.left.push({ above: left.above, at: anchoredAt });
    told.notes.push(
      `at ${anchoredAt} ${anchoredBy} said that the database was restored, with anchors up to row ${left.above} of ${left.newest} that agree: ${left.reason}`,
    );
    return { prefix: left.prefix, upTo: left.above };
  }
  return previous === null ? null : { prefix: prefixOf(previous.key), upTo: previous.id };
}

/** Reads the anchors in order and checks how they hang together. One that does not read is a problem and is left out. */
export async function* readAnchors(
  store: ObjectStore,
  { refs }: AnchorMap,
  options: {
    /** Public key by which each must be signed. */
    readonly key: string | null;
    readonly remembered: Remembered | null;
    /** All that are there: one may be named by an anchor that is read. */
    readonly known: AnchorMap["refs"];
  },
  problems: Problems,
): AsyncGenerator<Sealed<Anchor>> {
  const hashes = new Map<string, string | null>();
  const keys = new Set(options.known.map(({ key }) => key));
  for (let at = 0; at < refs.length; at += windowSize) {
    const window = refs.slice(at, at + windowSize);
    const anchors = await mapPooled(window, readsAtOnce, ({ key }) => readOrTell(store, key, problems));
    for (const [index, { id, key }] of window.entries()) {
      const anchor = anchors[index]!;
      hashes.set(key, anchor?.sha256 ?? null);
      if (anchor === null) continue;
      const signed = await signatureProblem(anchor, options.key);
      if (signed !== null) problems.add("signature", id, `the anchor of row ${id}: ${signed}`);
      if (anchor.document.id !== id) {
        problems.add("anchor_changed", id, `the anchor at ${key} is of row ${anchor.document.id}`);
        continue;
      }
      checkPrevious(anchor.document, keys, hashes, problems);
      yield anchor;
    }
  }
  const { remembered } = options;
  const found = remembered === null ? undefined : hashes.get(remembered.key);
  if (found !== undefined && found !== null && found !== remembered!.sha256)
    problems.add("anchor_changed", remembered!.id, `the anchor of row ${remembered!.id} was changed in the store`);
}

function checkPrevious(
  { id, previous }: Anchor,
  keys: ReadonlySet<string>,
  hashes: ReadonlyMap<string, string | null>,
  problems: Problems,
): void {
  if (previous === null) return;
  const hash = hashes.get(previous.key);
  if (!keys.has(previous.key))
    problems.add(
      "anchor_missing",
      previous.id,
      `the anchor of row ${previous.id}, which the one of row ${id} names, is gone from the store`,
    );
  else if (typeof hash === "string" && hash !== previous.sha256)
    problems.add("anchor_changed", previous.id, `the anchor of row ${previous.id} was changed in the store`);
}

async function readOrTell(store: ObjectStore, key: string, problems: Problems): Promise<Sealed<Anchor> | null> {
  try {
    return await readAnchor(store, key);
  } catch (error) {
    if (
      !isBelayError(error, "archive_invalid") &&
      !isBelayError(error, "store_missing_object") &&
      !(error instanceof RangeError)
    )
      throw error;
    problems.add("anchor_changed", null, (error as Error).message);
    return null;
  }
}
