import { randomUUID } from "node:crypto";
import { standardSignature } from "../../../shared/deployments/signatures.ts";
import { ask, belay, eventually, send } from "../ask.ts";
import type { Story } from "../story.ts";
import type { World } from "../world.ts";
import { newest, push } from "./apply.ts";

/** A good deployment, a new migration, a failed one: its rollback is planned, the team told, nothing executed. */
export async function failedDeployment(story: Story, world: World): Promise<void> {
  const good = await send(...delivery(world, "deployment.succeeded", "deploy-41"));
  story.say(`POST /webhooks/standard deployment.succeeded → ${good.status}`);
  story.expect("a good deployment is on record", good.status, 202);
  await push(world, newest);
  const synced = await belay(world, "sync");
  story.say(`$ belay sync\n${synced.output}`);
  story.expect(`${newest} is applied and registered`, synced.code, 0);

  const failure = delivery(world, "deployment.failed", "deploy-42");
  const [url, method, body, signed] = failure;
  const forged = await send(url, method, body, { ...signed, "webhook-signature": "v1,AAAA" });
  story.expect("a forged signature is refused", [forged.status, forged.body.code], [401, "signature_invalid"]);
  const taken = await send(...failure);
  story.say(`POST /webhooks/standard deployment.failed → ${taken.status}`);
  story.expect("the signed delivery of a failure is taken", taken.status, 202);
  const deployment = await eventually(async () => {
    const [row] = await world.sql`
      select plans from belay.deployments where external_id = 'deploy-42' and notified_at is not null`;
    return row ?? null;
  });
  const plans = (deployment?.plans ?? []) as { migration: string; risk: string }[];
  for (const plan of plans) story.say(`planned: ${plan.migration}, risk ${plan.risk}`);
  story.expect(
    "only what came since the good deployment is planned",
    plans.map((plan) => plan.migration),
    [newest],
  );
  const [ledger] = await world.sql`select status from belay.migration_history where migration_name = ${newest}`;
  story.expect("nothing was rolled back", ledger!.status, "applied");
  const told = world.notices
    .map((notice) => JSON.parse(notice))
    .filter((notice) => notice.data?.externalId === "deploy-42");
  story.expect(
    "the team was told once",
    told.map((notice) => notice.type),
    ["belay.deployment_failed"],
  );
  const again = await send(...failure);
  story.expect("the same delivery again does nothing", [again.status, again.body.replayed], [200, true]);
}

/** A Standard Webhooks delivery, signed: the arguments of `send`. */
function delivery(world: World, type: string, id: string): Parameters<typeof send> {
  const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data: { id, target: "production" } });
  const headers = { id: `msg_${randomUUID()}`, timestamp: String(Math.floor(Date.now() / 1000)) };
  const signature = standardSignature(new TextEncoder().encode(body), headers, world.secrets.webhook);
  const signed = { "webhook-id": headers.id, "webhook-timestamp": headers.timestamp, "webhook-signature": signature };
  return [`${world.functions.webhooks.url}/webhooks/standard`, "POST", body, signed];
}

/** A cron tick with its own key starts the drill that is due. */
export async function cronTick(story: Story, world: World): Promise<void> {
  const saved = await ask(world, "drills", "PUT", "/schedules/every-minute", { cron: "* * * * *" });
  story.expect("a schedule is saved", saved.status, 200);
  const url = `${world.functions.drills.url}/drills/tick`;
  const stranger = await send(url, "POST", undefined, { apikey: "not-the-key" });
  story.expect("a tick without the key is refused", stranger.status, 401);
  const tick = await send(url, "POST", undefined, { apikey: world.secrets.cron });
  story.say(`POST /drills/tick → ${tick.status} ${JSON.stringify(tick.body)}`);
  story.expect("the tick starts one drill", [tick.status, tick.body.started?.length], [202, 1]);
  const drillId = tick.body.started[0].drillId as string;
  const verdict = await eventually(async () => {
    const [row] =
      await world.sql`select verdict, summary from belay.drills where id = ${drillId} and verdict <> 'running'`;
    return row ?? null;
  });
  story.expect("its verdict is pass", verdict?.verdict, "pass");
  const audit = await belay(world, "audit", "verify");
  story.say(`$ belay audit verify\n${audit.output}`);
  story.expect("the audit log's chain is intact", audit.code, 0);
}
