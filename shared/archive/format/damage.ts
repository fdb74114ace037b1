import { BelayError } from "../../errors.ts";

/** The error for bytes that are not what an archive holds; `why` names the object and what is wrong with it. */
export function damaged(
  why: string,
  hint = "The archive is damaged or cut. Fetch it again, or use another one.",
): BelayError {
  return new BelayError("archive_invalid", why, { hint });
}
