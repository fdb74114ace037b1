import { randomUUID } from "node:crypto";
import { standardSignature } from "../../../shared/deployments/signatures.ts";
import { ask, belay, eventually, send } from "../ask.ts";
import type { Story } from "../story.ts";
import type { World } from "../world.ts";

/** A signed webhook of a failed deployment: plans on record, the team told, nothing executed. */
export async function failedDeployment(story: Story, world: World): Promise<void> {
  const url = `${world.functions.webhooks.url}/webhooks/standard`;
  const body = JSON.stringify({
    type: "deployment.failed",
    timestamp: new Date().toISOString(),
    data: { id: "deploy-42", target: "production" },
  });
  const headers = { id: `msg_${randomUUID()}`, timestamp: String(Math.floor(Date.now() / 1000)) };
  const signature = standardSignature(new TextEncoder().encode(body), headers, world.secrets.webhook);
  const signed = { "webhook-id": headers.id, "webhook-timestamp": headers.timestamp, "webhook-signature": signature };
  const forged = await send(url, "POST", body, { ...signed, "webhook-signature": "v1,AAAA" });
  story.expect("a forged signature is refused", [forged.status, forged.body.code], [401, "signature_invalid"]);
  const taken = await send(url, "POST", body, signed);
  story.say(`POST /webhooks/standard → ${taken.status}`);
  story.expect("the signed delivery is taken", taken.status, 202);
  const deployment = await eventually(async () => {
    const [row] = await world.sql`
      select plans from belay.deployments where external_id = 'deploy-42' and notified_at is not null`;
    return row ?? null;
  });
  const plans = deployment?.plans as { migration: string }[] | undefined;
  story.expect(`${plans?.length} rollbacks planned and recorded`, (plans?.length ?? 0) > 0, true);
  story.expect("the team was told once", world.notices.length, 1);
  const again = await send(url, "POST", body, signed);
  story.expect("the same delivery again does nothing", [again.status, again.body.replayed], [200, true]);
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
