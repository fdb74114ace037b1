import { z } from "zod";
import { listArchives, readManifest } from "../../shared/archive/list.ts";
import { manifestSchema } from "../../shared/archive/types.ts";
import { pageOfList } from "../page.ts";
import { pageOfSchema, pageQuery, route } from "../route.ts";

const archiveId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/);

export const archiveRoutes = [
  route({
    method: "get",
    path: "/archives",
    summary: "Archives in the store, newest first.",
    role: "viewer",
    query: pageQuery,
    response: pageOfSchema(z.object({ id: z.string() }).loose()),
    handle: async ({ belay, query }) => {
      const archives = [...(await listArchives(belay.store))].sort((a, b) => (a.id < b.id ? 1 : -1));
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
