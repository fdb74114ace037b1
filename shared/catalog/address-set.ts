import type { Address } from "./types.ts";

/** Whole catalog objects, by their catalog; column numbers do not count. */
export class AddressSet {
  readonly #byClass = new Map<number, Set<number>>();
  #size = 0;

  constructor(addresses: Iterable<Pick<Address, "classid" | "objid">> = []) {
    for (const address of addresses) this.add(address);
  }

  get size(): number {
    return this.#size;
  }

  add({ classid, objid }: Pick<Address, "classid" | "objid">): void {
    const oids = this.#byClass.get(classid);
    if (oids === undefined) this.#byClass.set(classid, new Set([objid]));
    else if (oids.has(objid)) return;
    else oids.add(objid);
    this.#size++;
  }

  has({ classid, objid }: Pick<Address, "classid" | "objid">): boolean {
    return this.#byClass.get(classid)?.has(objid) ?? false;
  }

  /** The objects of one system catalog. */
  oids(classid: number): number[] {
    return [...(this.#byClass.get(classid) ?? [])];
  }

  classes(): number[] {
    return [...this.#byClass.keys()];
  }

  *[Symbol.iterator](): Iterator<{ readonly classid: number; readonly objid: number }> {
    for (const [classid, oids] of this.#byClass) for (const objid of oids) yield { classid, objid };
  }
}
