import { z } from "zod";
import { listArchives, readManifest } from "../../shared/archive/list.ts";
import { manifestSchema } from "../../shared/archive/types.ts";
import { pageOfList } from "../page.ts";
import { pageOfSchema, pageQuery, route } from "../route.ts";

const archiveSummarySchema = z.object({
  id: z.string(),
  purpose: manifestSchema.shape.purpose,
  snapshotAt: z.string(),
  database: z.string(),
  migration: z.string().nullable(),
  createdBy: z.string(),
  reason: z.string(),
  tables: z.number().int(),
  rows: z.number().int(),
  bytes: z.number().int(),
});

const archiveId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/);

export const archiveRoutes = [
  route({
    method: "get",
    path: "/archives",
    summary: "Archives in the store, newest first.",
    role: "viewer",
    query: pageQuery,
    response: pageOfSchema(archiveSummarySchema),
    handle: async ({ belay, query }) => {
      const archives = await listArchives(belay.store);
      const { items, next } = pageOfList(archives, query, (archive) => archive.id);
      return { items: items.map((archive) => ({ ...archive })), next };
    },
  }),
  route({
    method: "get",
    path: "/archives/:id",
    summary: "The manifest of one archive.",
    role: "viewer",
    params: z.object({ id: archiveId }),
    response: manifestSchema,
    handle: ({ belay, params }) => readManifest(belay.store, params.id),
  }),
];
