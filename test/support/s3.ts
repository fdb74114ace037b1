import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { type S3Options, type S3Server, startS3 } from "../../dev/s3.ts";

export interface TestBucket {
  /** A store URL with a prefix of its own in the run's bucket. */
  readonly url: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A place of its own on the run's S3 server. */
export function testBucket(): TestBucket {
  const { endpoint, bucket, accessKeyId, secretAccessKey } = inject("s3");
  const prefix = `test-${randomBytes(6).toString("hex")}`;
  return {
    url: `s3://${bucket}/${prefix}?endpoint=${encodeURIComponent(endpoint)}&region=us-east-1`,
    credentials: { accessKeyId, secretAccessKey },
  };
}

/** An S3 server of this test alone, whose uploads can be made to fail with `setFault`. Stop it after the test. */
export function startTestS3(options: S3Options = {}): Promise<S3Server> {
  return startS3(options);
}
