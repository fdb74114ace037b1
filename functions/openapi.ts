import { z } from "zod";
import type { AnyRoute } from "./route.ts";

type Json = Record<string, unknown>;

const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  hint: z.string().optional(),
  requestId: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** OpenAPI 3.1 document of an app's routes, from the same schemas that parse requests. */
export function openApiDocument(title: string, basePath: string, routes: readonly AnyRoute[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = basePath + route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: { title, version: "0.1.0" },
    paths,
    components: {
      schemas: { Problem: schemaOf(problemSchema, "output") },
      securitySchemes: { user: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
    security: [{ user: [] }],
  };
}

function operation(route: AnyRoute): Json {
  const parameters = [...parametersOf(route.params, "path"), ...parametersOf(route.query, "query")];
  if (route.method === "post")
    parameters.push({
      name: "idempotency-key",
      in: "header",
      required: false,
      schema: { type: "string", maxLength: 255 },
    });
  return {
    summary: route.summary,
    description: `Role ${route.role} or higher${route.destructive ? ", signed in with a second factor" : ""}.`,
    parameters,
    ...(route.body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { "application/json": { schema: schemaOf(route.body, "input") } } },
        }),
    responses: {
      [String(route.status ?? 200)]: {
        description: "Done",
        content: contentOf(route),
      },
      default: {
        description: "A problem document (RFC 9457)",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function contentOf({ streams = ["application/json"], response }: AnyRoute): Json {
  return Object.fromEntries(streams.map((type) => [type.split(";")[0]!, { schema: schemaOf(response, "output") }]));
}

function parametersOf(schema: z.ZodType | undefined, place: "path" | "query"): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, "input") as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: property,
  }));
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Json;
  return rest;
}
