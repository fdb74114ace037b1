import type { KindReader } from "../kind.ts";
import { aggregates } from "./aggregates.ts";
import { comments } from "./comments.ts";
import { checkConstraints, constraints, invalidNotNulls } from "./constraints.ts";
import { defaultGrants } from "./default-grants.ts";
import { defaults } from "./defaults.ts";
import { domains } from "./domains.ts";
import { eventTriggers } from "./event-triggers.ts";
import { extensions } from "./extensions.ts";
import { foreignKeys } from "./foreign-keys.ts";
import { functions } from "./functions.ts";
import { grants } from "./grants.ts";
import { indexes } from "./indexes.ts";
import { policies, rowSecurity } from "./policies.ts";
import { publications } from "./publications.ts";
import { rules } from "./rules.ts";
import { schemas } from "./schemas.ts";
import { sequences } from "./sequences.ts";
import { statistics } from "./statistics.ts";
import { tables } from "./tables.ts";
import { triggers } from "./triggers.ts";
import { types } from "./types.ts";
import { materializedViews, views } from "./views.ts";

/** Every kind that the reader knows, by the name of its file. What is not among them is named by unknown.ts. */
export const kindReaders: Readonly<Record<string, KindReader>> = {
  schemas,
  extensions,
  types,
  domains,
  functions,
  aggregates,
  tables,
  defaults,
  sequences,
  views,
  materializedViews,
  indexes,
  constraints,
  checkConstraints,
  invalidNotNulls,
  foreignKeys,
  triggers,
  rules,
  policies,
  rowSecurity,
  statistics,
  eventTriggers,
  publications,
  comments,
  grants,
  defaultGrants,
};
