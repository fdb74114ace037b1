import { quoteIdent } from "../../catalog/identifiers.ts";
import { addressKey, classOid } from "./dependency-graph.ts";
import type { Simulation } from "./simulation.ts";

/** Types that format_type() names otherwise than pg_type does (PostgreSQL source, utils/adt/format_type.c). */
const sqlNames: Readonly<Record<string, string>> = {
  bit: "bit",
  bool: "boolean",
  bpchar: "character",
  char: '"char"',
  float4: "real",
  float8: "double precision",
  int2: "smallint",
  int4: "integer",
  int8: "bigint",
  time: "time without time zone",
  timetz: "time with time zone",
  timestamp: "timestamp without time zone",
  timestamptz: "timestamp with time zone",
  varbit: "bit varying",
  varchar: "character varying",
};

/** A type as a dump names it in a function's arguments. */
export function typeWords(simulation: Simulation, oid: number): string {
  const type = simulation.byAddress.get(addressKey(classOid.type, oid));
  if (type === undefined) return "?";
  if (type.name.startsWith("_") && type.args.length > 0) return `${typeWords(simulation, type.args[0]!)}[]`;
  if (type.schema === "pg_catalog") return sqlNames[type.name] ?? type.name;
  return `${quoteIdent(type.schema ?? "")}.${quoteIdent(type.name)}`;
}
