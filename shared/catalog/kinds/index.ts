import type { KindReader } from "../kind.ts";
import { accessMethods } from "./access-methods.ts";
import { aggregates } from "./aggregates.ts";
import { baseTypes } from "./base-types.ts";
import { casts } from "./casts.ts";
import { collations } from "./collations.ts";
import { comments } from "./comments.ts";
import { checkConstraints, constraints, invalidNotNulls } from "./constraints.ts";
import { conversions } from "./conversions.ts";
import { defaultGrants } from "./default-grants.ts";
import { defaults } from "./defaults.ts";
import { domains } from "./domains.ts";
import { eventTriggers } from "./event-triggers.ts";
import { extensions } from "./extensions.ts";
import { foreignData } from "./foreign-data.ts";
import { foreignKeys } from "./foreign-keys.ts";
import { functions } from "./functions.ts";
import { grants } from "./grants.ts";
import { indexes } from "./indexes.ts";
import { languages } from "./languages.ts";
import { largeObjects } from "./large-objects.ts";
import { operatorClasses, operatorFamilies } from "./operator-families.ts";
import { operators } from "./operators.ts";
import { policies, rowSecurity } from "./policies.ts";
import { publications } from "./publications.ts";
import { rules } from "./rules.ts";
import { schemas } from "./schemas.ts";
import { securityLabels } from "./security-labels.ts";
import { sequences } from "./sequences.ts";
import { statistics } from "./statistics.ts";
import { subscriptions } from "./subscriptions.ts";
import { tables } from "./tables.ts";
import {
  textSearchConfigurations,
  textSearchDictionaries,
  textSearchParsers,
  textSearchTemplates,
} from "./text-search.ts";
import { transforms } from "./transforms.ts";
import { triggers } from "./triggers.ts";
import { types } from "./types.ts";
import { materializedViews, views } from "./views.ts";

/** Every kind that the reader knows, by the name of its file. What is not among them is named by unknown.ts. */
export const kindReaders: Readonly<Record<string, KindReader>> = {
  schemas,
  extensions,
  languages,
  collations,
  types,
  baseTypes,
  domains,
  casts,
  transforms,
  functions,
  aggregates,
  accessMethods,
  operators,
  operatorFamilies,
  operatorClasses,
  conversions,
  textSearchParsers,
  textSearchTemplates,
  textSearchDictionaries,
  textSearchConfigurations,
  foreignData,
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
  subscriptions,
  largeObjects,
  comments,
  securityLabels,
  grants,
  defaultGrants,
};
