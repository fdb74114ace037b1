import type { Belay } from "../shared/context.ts";
import type { AuthConfig, NotifyConfig, WebhookConfig } from "./config.ts";

/** What an app needs from its entrypoint. */
export interface AppDeps {
  /** The domain's context, acting for the named person or machine; `subject`: the id of a signed-in user. */
  belay(actor: string, subject?: string): Belay;
  readonly auth: AuthConfig;
  readonly corsOrigin: string;
  readonly webhooks: WebhookConfig;
  readonly notify: NotifyConfig | null;
  now(): Date;
  /** Keeps the process alive for work that goes on after the answer. */
  background(work: Promise<unknown>): void;
  /** One line for the function's log. Never gets secrets or row values. */
  log(line: string): void;
}
