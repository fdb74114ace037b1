import type { Place, SimulatedObject } from "./simulation.ts";
import type { Node } from "./sql-nodes.ts";

/** One command of an ALTER TABLE. */
export interface AlterCommand {
  readonly relation: SimulatedObject;
  /** The relation and, unless ONLY is said, its children and partitions. */
  readonly family: readonly SimulatedObject[];
  /** The parser's AlterTableCmd. */
  readonly command: Node;
  readonly at: Place;
}
