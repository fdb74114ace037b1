import type { AddressKey, Dependency } from "./dependency-graph.ts";

/** How an object came to be dropped: named, silently with its owner, or only by CASCADE. */
export type DropReason = "named" | "automatic" | "cascade";

export interface DropClosure {
  readonly gone: ReadonlyMap<AddressKey, DropReason>;
  /** Objects that only CASCADE takes: without it the DROP fails because of them. */
  readonly needCascade: readonly AddressKey[];
  /** An object named by the DROP that belongs to another: `[object, owner]`; the DROP fails. */
  readonly ownedBy: readonly (readonly [AddressKey, AddressKey])[];
}

/** Both directions of pg_depend, by address; whole objects also find the dependents of their columns. */
export interface DependencyIndex {
  readonly owners: Map<AddressKey, Dependency[]>;
  readonly dependents: Map<AddressKey, Dependency[]>;
}

export function indexDependencies(dependencies: readonly Dependency[]): DependencyIndex {
  const index: DependencyIndex = { owners: new Map(), dependents: new Map() };
  for (const dependency of dependencies) addDependency(index, dependency);
  return index;
}

export function addDependency(index: DependencyIndex, dependency: Dependency): void {
  push(index.owners, dependency.from, dependency);
  push(index.dependents, dependency.to, dependency);
  const whole = wholeOf(dependency.to);
  if (whole !== dependency.to) push(index.dependents, whole, dependency);
}

/** Takes away those dependencies of `from` that `goes` picks. */
export function cutDependencies(index: DependencyIndex, from: AddressKey, goes: (each: Dependency) => boolean): void {
  const cut = new Set((index.owners.get(from) ?? []).filter(goes));
  const without = (list: readonly Dependency[] | undefined) => (list ?? []).filter((each) => !cut.has(each));
  index.owners.set(from, without(index.owners.get(from)));
  for (const { to } of cut)
    for (const key of new Set([to, wholeOf(to)])) index.dependents.set(key, without(index.dependents.get(key)));
}

const silent = new Set(["a", "i", "e", "x", "P", "S"]);
const partition = new Set(["P", "S"]);

/**
 * What goes when `named` are dropped in one command, by the rules of the server's own dependency.c:
 * internal parts pull in their owner, automatic dependents go silently, normal ones only with CASCADE.
 * `restrict`: what goes silently alone, whatever else depends on it.
 */
export function dropClosure(
  index: DependencyIndex,
  named: readonly AddressKey[],
  alreadyGone: ReadonlySet<AddressKey> = new Set(),
  options: { readonly restrict?: boolean } = {},
): DropClosure {
  const originals = new Set(named);
  const found = new Map<AddressKey, { silently: boolean; ofPartition: boolean }>();
  const stack: AddressKey[] = [];
  const ownedBy: [AddressKey, AddressKey][] = [];
  const parts = new Map<AddressKey, AddressKey>();

  const isGone = (key: AddressKey) => alreadyGone.has(key) || alreadyGone.has(wholeOf(key));
  const onStack = (key: AddressKey) => stack.includes(key) || stack.includes(wholeOf(key));

  function note(key: AddressKey, type: string | null): void {
    const seen = found.get(key) ?? { silently: false, ofPartition: false };
    found.set(key, {
      silently: seen.silently || (type !== null && silent.has(type)),
      ofPartition: seen.ofPartition || (type !== null && partition.has(type)),
    });
  }

  function visit(key: AddressKey, type: string | null): void {
    if (isGone(key)) return;
    if (onStack(key) || found.has(key)) {
      if (found.has(key)) note(key, type);
      return;
    }
    if (found.has(wholeOf(key))) return;
    for (const { to, type: kind } of index.owners.get(key) ?? []) {
      if (wholeOf(to) === wholeOf(key) || isGone(to)) continue;
      if (partition.has(kind)) parts.set(key, to);
      if (kind !== "i" && kind !== "e") continue;
      if (stack.length === 0) {
        if (!originals.has(to)) ownedBy.push([key, to]);
        return;
      }
      if (onStack(to)) continue;
      visit(to, null);
      if (!found.has(key) && !found.has(wholeOf(key))) note(key, type);
      else if (found.has(key)) note(key, type);
      return;
    }
    stack.push(key);
    for (const { from, type: kind } of index.dependents.get(key) ?? [])
      if (wholeOf(from) !== wholeOf(key) && !(options.restrict && kind === "n")) visit(from, kind);
    stack.pop();
    note(key, type);
  }

  for (const key of named) visit(key, null);
  for (const [key, owner] of parts)
    if (originals.has(key) && found.get(key)?.ofPartition === false && !found.has(owner)) ownedBy.push([key, owner]);

  const gone = new Map<AddressKey, DropReason>();
  for (const [key, how] of found) gone.set(key, originals.has(key) ? "named" : how.silently ? "automatic" : "cascade");
  const needCascade = [...gone].filter(([, reason]) => reason === "cascade").map(([key]) => key);
  return { gone, needCascade, ownedBy };
}

/** The object that a column belongs to; the object itself when it is whole. */
export function wholeOf(key: AddressKey): AddressKey {
  return `${key.slice(0, key.lastIndexOf("/"))}/0`;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
