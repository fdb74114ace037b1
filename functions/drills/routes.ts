import { z } from "zod";
import { listDrills, readDrill } from "../../drills/results.ts";
import { startDrill } from "../../drills/run-drill.ts";
import { listSchedules, saveSchedule } from "../../drills/schedules.ts";
import { drillReportSchema, scheduleSchema } from "../../drills/types.ts";
import { plainText } from "../../shared/text.ts";
import { pageOfSchema, pageQuery, route } from "../route.ts";

export const drillRoutes = [
  route({
    method: "get",
    path: "/drills",
    summary: "Drills with their checks, newest first.",
    role: "viewer",
    query: pageQuery.extend({ schedule: plainText(100).optional(), archiveId: plainText(200).optional() }),
    response: pageOfSchema(drillReportSchema),
    handle: async ({ belay, query }) => {
      const { items, next } = await listDrills(belay, query);
      return { items: [...items], next };
    },
  }),
  route({
    method: "get",
    path: "/drills/:id",
    summary: "One drill with its checks; `running` until it is finished.",
    role: "viewer",
    params: z.object({ id: z.uuid() }),
    response: drillReportSchema,
    handle: ({ belay, params }) => readDrill(belay, params.id),
  }),
  route({
    method: "post",
    path: "/drills",
    summary: "Start a drill of an archive, or of the latest one. The work goes on after the answer.",
    role: "operator",
    status: 202,
    body: z.strictObject({ archiveId: plainText(200).default("latest") }),
    response: z.object({ drillId: z.string(), startedAt: z.string() }),
    handle: async ({ belay, body }, deps) => {
      const { drillId, startedAt, finished } = await startDrill(belay, body);
      deps.background(finished);
      return { drillId, startedAt };
    },
  }),
  route({
    method: "get",
    path: "/schedules",
    summary: "Schedules of drills; times are UTC.",
    role: "viewer",
    response: z.object({ items: z.array(scheduleSchema) }),
    handle: async ({ belay }) => ({ items: await listSchedules(belay) }),
  }),
  route({
    method: "put",
    path: "/schedules/:name",
    summary: "Make or change a schedule.",
    role: "operator",
    params: scheduleSchema.pick({ name: true }),
    body: scheduleSchema.omit({ name: true }).extend({
      archiveChoice: scheduleSchema.shape.archiveChoice.default("latest"),
      enabled: z.boolean().default(true),
    }),
    response: scheduleSchema,
    handle: ({ belay, params, body }) => saveSchedule(belay, { ...body, name: params.name }),
  }),
];
