import { z } from "zod";
import { BelayError } from "../../errors.ts";
import { gateNames } from "../gate-types.ts";
import { nearNames } from "./near-names.ts";
import { completePolicy, type Policy, policyFileSchema } from "./policy.ts";

type Json = { readonly [key: string]: unknown };

/** Parses a policy's text; throws `usage` that names `source` and every wrong field, unknown ones with a near match. */
export function parsePolicy(text: string, source: string): Policy {
  const parsed = policyFileSchema.safeParse(readJson(text, source));
  if (parsed.success) return completePolicy(parsed.data);
  const wrong = [...new Set(parsed.error.issues.flatMap((issue) => sentences(issue)))];
  throw new BelayError("usage", `the policy ${source} is not valid: ${wrong.join("; ")}`, {
    hint: "See docs/policy.md; `belay policy schema` prints what a policy may hold, for editors.",
    details: { source, wrong },
  });
}

/** JSON Schema (2020-12) of a policy file, for editors. */
export function policyJsonSchema(): Json {
  const { $schema, ...schema } = z.toJSONSchema(policyFileSchema, { io: "input", unrepresentable: "any" }) as Json;
  return { $schema, title: "Belay policy", ...schema };
}

function readJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BelayError("usage", `the policy ${source} is not JSON: ${why}`, {
      hint: "A policy is one JSON object, without comments and without a comma at the end of a list.",
    });
  }
}

function sentences(issue: z.core.$ZodIssue): string[] {
  const place = issue.path.join(".");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const path = place === "" ? key : `${place}.${key}`;
      if (place === "gates" && (gateNames as readonly string[]).includes(key))
        return `${path} always counts: a policy cannot change it`;
      const near = nearNames(key, keysAt(issue.path));
      return `${path} is not known${near.length > 0 ? ` (did you mean ${near.join(" or ")}?)` : ""}`;
    });
  return [`${place === "" ? "the policy" : place}: ${saidOf(issue)}`];
}

function saidOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_union" && issue.path[0] === "gates")
    return "must be required, if_known, advised or off, or one of these for each of LOW, MEDIUM and HIGH";
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) return "is missing";
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
}

/** The keys that the schema knows at a path. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let schema: Json | undefined = policyJsonSchema();
  for (const part of path) {
    const plain: Json | undefined = withoutNull(schema);
    const properties = plain?.properties as Json | undefined;
    schema = (typeof part === "number" ? plain?.items : properties?.[String(part)]) as Json | undefined;
  }
  return Object.keys((withoutNull(schema)?.properties as Json | undefined) ?? {});
}

function withoutNull(schema: Json | undefined): Json | undefined {
  const choices = schema?.anyOf as Json[] | undefined;
  return choices === undefined ? schema : choices.find((each) => each.type === "object");
}
