import { z } from "zod";
import { listKept, quarantineListSchema } from "../../shared/rollback/preserve/list.ts";
import { purgedSchema, purgeKept } from "../../shared/rollback/preserve/purge.ts";
import { plainText } from "../../shared/text.ts";
import { route } from "../route.ts";

export const quarantineRoutes = [
  route({
    method: "get",
    path: "/quarantine",
    summary: "What rollbacks keep in the database itself, until when, and whether they can be undone.",
    role: "viewer",
    response: quarantineListSchema,
    handle: ({ belay }) => listKept(belay),
  }),
  route({
    method: "post",
    path: "/quarantine/purge",
    summary: "Take what is due, or what is named, out of the database into a verified archive.",
    role: "operator",
    destructive: true,
    body: z.strictObject({
      rollbacks: z.array(plainText(500)).max(1_000).optional().describe("Ids of rollbacks: these, due or not"),
      before: z.iso.date().optional().describe("What rollbacks before this date keep, due or not"),
      dryRun: z.boolean().optional().describe("Answer what would go; change nothing"),
    }),
    response: z.object({ purged: z.array(purgedSchema) }),
    handle: async ({ belay, body }) => ({ purged: await purgeKept(belay, body) }),
  }),
];
