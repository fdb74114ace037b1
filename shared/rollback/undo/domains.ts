import { qualified } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";

/** Changes default, NOT NULL and checks of a domain back, so that columns of it stay; null when its type is another one. */
export function domainBack(current: Entry, target: Entry): string[] | null {
  const [is, was] = [parseDomain(current), parseDomain(target)];
  if (is === null || was === null || is.base !== was.base) return null;
  const actions: string[] = [];
  for (const [name, text] of is.checks) if (was.checks.get(name) !== text) actions.push(`drop constraint ${name}`);
  if (is.expression !== was.expression)
    actions.push(was.expression === null ? "drop default" : `set default ${was.expression}`);
  if (is.notNull !== was.notNull) actions.push(was.notNull ? "set not null" : "drop not null");
  for (const [name, text] of was.checks) if (is.checks.get(name) !== text) actions.push(`add ${text}`);
  return actions.map((action) => `alter domain ${qualified(target.schema, target.name)} ${action}`);
}

interface DomainText {
  /** Type and collation. */
  readonly base: string;
  readonly notNull: boolean;
  readonly expression: string | null;
  /** Whole texts by quoted name. */
  readonly checks: ReadonlyMap<string, string>;
}

function parseDomain({ create }: Entry): DomainText | null {
  const body = create.match(/^\s*CREATE DOMAIN .*? AS (.*);\n$/s)?.[1];
  if (body === undefined) return null;
  const [head, ...checks] = body.split("\n\tCONSTRAINT ");
  const [type, ...expression] = head!.split(" DEFAULT ");
  const notNull = type!.endsWith(" NOT NULL");
  return {
    base: notNull ? type!.slice(0, -" NOT NULL".length) : type!,
    notNull,
    expression: expression.length === 0 ? null : expression.join(" DEFAULT "),
    checks: new Map(checks.map((text) => [text.match(/^("(?:[^"]|"")+"|\S+)/)![1]!, `constraint ${text}`])),
  };
}
