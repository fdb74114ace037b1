import { z } from "zod";
import { sha256 } from "../archive/digesting.ts";
import { BelayError } from "../errors.ts";
import { type Signature, signatureSchema } from "./types.ts";

/** A document of the audit as the store keeps it. */
export interface Sealed<T> {
  readonly document: T;
  readonly signature: Signature | null;
  /** sha256 (hex) of the stored bytes. */
  readonly sha256: string;
}

const algorithm = "Ed25519";
/** What comes before the 32 bytes of an Ed25519 public key in SPKI (RFC 8410). */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** The stored bytes of a document; signed when there is a key. */
export async function seal(document: object, signingKey: string | undefined): Promise<Uint8Array> {
  const signature = signingKey === undefined ? null : await sign(JSON.stringify(document), signingKey);
  return Buffer.from(`${JSON.stringify({ document, signature }, null, 2)}\n`);
}

/** Reads stored bytes; throws `archive_invalid` when they are no such document. The signature is not looked at. */
export function unseal<T>(bytes: Uint8Array, schema: z.ZodType<T>, where: string): Sealed<T> {
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw damaged(where, "it is not JSON");
  }
  const parsed = z.strictObject({ document: schema, signature: signatureSchema.nullable() }).safeParse(data);
  if (!parsed.success) throw damaged(where, parsed.error.issues.map(({ path }) => path.join(".")).join(", "));
  // As it was written, for the signature covers that: the schema's order of keys may be another.
  return { document: (data as { document: T }).document, signature: parsed.data.signature, sha256: sha256(bytes) };
}

/** Why a signature does not hold; null when it does. Without `key` any key may have signed, and none is needed. */
export async function signatureProblem(sealed: Sealed<object>, key: string | null): Promise<string | null> {
  const { signature } = sealed;
  if (signature === null) return key === null ? null : "it is not signed";
  if (key !== null && signature.publicKey !== key) return "it is signed with another key";
  const value = Buffer.from(signature.value, "base64");
  // Base64 can be written in more than one way.
  if (value.toString("base64") !== signature.value) return "its signature is wrong";
  const spki = Buffer.from(signature.publicKey, "base64");
  const message = Buffer.from(JSON.stringify(sealed.document));
  const good = await crypto.subtle
    .importKey("spki", spki, algorithm, false, ["verify"])
    .then((publicKey) => crypto.subtle.verify(algorithm, publicKey, value, new Uint8Array(message)))
    .catch(() => false);
  return good ? null : "its signature is wrong";
}

/** A public key from base64 or PEM; throws `usage` when it is none. */
export function parsePublicKey(text: string): string {
  const key = text.replaceAll(/-----[A-Z ]+-----|\s/g, "");
  const bytes = Buffer.from(key, "base64");
  if (bytes.length !== 44 || !bytes.subarray(0, 12).equals(spkiPrefix))
    throw new BelayError("usage", "the key is not an Ed25519 public key", {
      hint: "Give SPKI in base64 or PEM: openssl pkey -in KEY -pubout.",
    });
  return bytes.toString("base64");
}

async function sign(message: string, signingKey: string): Promise<Signature> {
  const pkcs8 = Buffer.from(signingKey, "base64");
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", key);
  const value = await crypto.subtle.sign(algorithm, key, new Uint8Array(Buffer.from(message)));
  const publicKey = Buffer.concat([spkiPrefix, Buffer.from(x!, "base64url")]).toString("base64");
  return { algorithm, publicKey, value: Buffer.from(value).toString("base64") };
}

function damaged(where: string, why: string): BelayError {
  return new BelayError("archive_invalid", `${where} is damaged: ${why}`, {
    hint: "Look at who may write to the store.",
  });
}
