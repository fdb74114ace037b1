/** Oids of the catalogs that pg_depend names; fixed since they were introduced. */
export const classOid = {
  relation: 1259,
  routine: 1255,
  type: 1247,
  default: 2604,
  constraint: 2606,
  trigger: 2620,
  rule: 2618,
  policy: 3256,
  schema: 2615,
  extension: 3079,
} as const;

/** Catalog oid, object oid, column number joined: what pg_depend's rows connect. */
export type AddressKey = string;

export function addressKey(classid: number, objid: number, objsubid = 0): AddressKey {
  return `${classid}/${objid}/${objsubid}`;
}

/** An object that SQL can name. `relid` is the relation that a trigger, policy, rule or constraint belongs to. */
export interface NamedObject {
  readonly classid: number;
  readonly objid: number;
  readonly family: string;
  readonly schema: string | null;
  readonly name: string;
  readonly relid: number | null;
  /** relkind, prokind, typtype or contype. */
  readonly sub: string;
  /** Argument types of routines and operators; source and target of casts; element type of arrays. */
  readonly args: readonly number[];
  /** Relation that a foreign key references, array type of a type, index of a constraint; else 0. */
  readonly other: number;
}

export interface CatalogColumn {
  readonly relid: number;
  readonly number: number;
  readonly name: string;
  readonly typeOid: number;
  readonly notNull: boolean;
  /** `s` stored, `v` virtual, empty when not generated. */
  readonly generated: string;
  readonly inherited: boolean;
}

export interface CatalogIndex {
  readonly oid: number;
  readonly relid: number;
  readonly unique: boolean;
  readonly primary: boolean;
  /** Valid, immediate, without predicate and expressions. */
  readonly plain: boolean;
  readonly columns: readonly number[];
}

export interface CatalogForeignKey {
  readonly oid: number;
  readonly name: string;
  readonly child: number;
  readonly parent: number;
  readonly columns: readonly number[];
  /** Columns of the parent. */
  readonly references: readonly number[];
  /** `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default. */
  readonly onDelete: string;
  readonly onUpdate: string;
}

export interface Dependency {
  readonly from: AddressKey;
  readonly to: AddressKey;
  readonly type: string;
}

/** Everything that name resolution and the drop closure need, as plain data. */
export interface DependencyGraph {
  /** All that was reached, where it was read for some statements alone; also what SQL cannot name. */
  readonly reached?: readonly { readonly classid: number; readonly objid: number }[];
  readonly objects: readonly NamedObject[];
  /** Relations by oid. */
  readonly byOid: ReadonlyMap<number, NamedObject>;
  readonly columns: readonly CatalogColumn[];
  readonly indexes: readonly CatalogIndex[];
  readonly foreignKeys: readonly CatalogForeignKey[];
  readonly dependencies: readonly Dependency[];
  readonly inherits: readonly { readonly child: number; readonly parent: number }[];
  /** Schemas searched for unqualified names: the session's own default, whatever is set at the moment. */
  readonly searchPath: readonly string[];
  /** Whom the SQL runs as. */
  readonly role: string;
}
