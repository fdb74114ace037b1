import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** Seconds by which a Standard Webhooks timestamp may differ from now. */
export const timestampToleranceSeconds = 300;

export interface StandardHeaders {
  readonly id: string;
  /** Unix seconds, as text. */
  readonly timestamp: string;
  /** One or more `v1,<base64>`, separated by spaces. */
  readonly signature: string;
}

/** Vercel signs the raw body with HMAC-SHA1 and sends it as hex (Vercel manual, "Securing webhooks"). */
export function verifyVercel(rawBody: Uint8Array, signature: string, secret: string): boolean {
  const expected = createHmac("sha1", secret).update(rawBody).digest("hex");
  return equalText(signature, expected);
}

/** Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`; any one of the signatures may match. */
export function verifyStandard(rawBody: Uint8Array, headers: StandardHeaders, secret: string, now: Date): boolean {
  if (!/^\d{1,12}$/.test(headers.timestamp)) return false;
  const age = Math.abs(now.getTime() / 1000 - Number(headers.timestamp));
  if (age > timestampToleranceSeconds) return false;
  const expected = standardSignature(rawBody, headers, secret);
  let matches = false;
  for (const candidate of headers.signature.split(" ")) if (equalText(candidate, expected)) matches = true;
  return matches;
}

/** The `v1,<base64>` signature of a Standard Webhooks message. `secret` is base64, with or without `whsec_`. */
export function standardSignature(
  rawBody: Uint8Array,
  headers: Pick<StandardHeaders, "id" | "timestamp">,
  secret: string,
): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const hmac = createHmac("sha256", key).update(`${headers.id}.${headers.timestamp}.`).update(rawBody);
  return `v1,${hmac.digest("base64")}`;
}

function equalText(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
