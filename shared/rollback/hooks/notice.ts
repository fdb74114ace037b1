import type { Belay } from "../../context.ts";
import { postOnce } from "../../deployments/post-message.ts";
import { tryWithin } from "./attempts.ts";
import { type Ending, noticeOf, type Subject } from "./message.ts";
import type { NoticeResult } from "./types.ts";

const limits = { attempts: 2, timeoutMs: 5_000, totalMs: 10_000 };

/** Tells the team's address; null when none is set. Never throws. */
export async function sendNotice(
  belay: Belay,
  about: NoticeResult["about"],
  subject: Subject,
  ending: Ending | null,
): Promise<NoticeResult | null> {
  const { notifyUrl, notifySecret } = belay.settings;
  if (notifyUrl === undefined) return null;
  const target = { url: notifyUrl, secret: notifySecret ?? null };
  const message = noticeOf(about, subject, ending);
  const { result } = await tryWithin(
    limits,
    (timeoutMs) => postOnce(target, message, belay.now(), timeoutMs),
    ({ taken, again }) => !taken && again,
  );
  const { taken, evidence } = result;
  return { about, address: new URL(notifyUrl).host, state: taken ? "taken" : "failed", evidence };
}
