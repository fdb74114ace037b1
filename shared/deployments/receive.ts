import type { Belay } from "../context.ts";
import { withSession } from "../with-session.ts";
import type { DeploymentEvent } from "./types.ts";

export interface Received {
  /** True when this delivery was stored before: nothing was done now. */
  readonly replayed: boolean;
  readonly deploymentId: string | null;
}

/**
 * Records a verified delivery and its deployment in one transaction, so that an accepted delivery is never lost.
 * A second delivery with the same id changes nothing.
 */
export async function receiveDelivery(belay: Belay, event: DeploymentEvent): Promise<Received> {
  return withSession(belay, "belay webhook", async (session) => {
    return await session.sql.begin(async (sql) => {
      const stored = await sql`
        insert into belay.webhook_deliveries (platform, delivery_id)
        values (${event.platform}, ${event.deliveryId})
        on conflict do nothing returning 1`;
      if (stored.length === 0) return { replayed: true, deploymentId: null };
      const [deployment] = await sql`
        insert into belay.deployments (platform, external_id, status, target, occurred_at, payload_sha256)
        values (${event.platform}, ${event.externalId}, ${event.status}, ${event.target},
          ${event.occurredAt}, ${event.payloadSha256})
        on conflict (platform, external_id, status) do nothing returning id`;
      return { replayed: false, deploymentId: deployment?.id ?? null };
    });
  });
}
