import { readFile } from "node:fs/promises";
import { BelayError } from "../errors.ts";

/** The certificates (PEM) in the file that `sslrootcert` names; throws `usage`. */
export async function readRootCertificate(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new BelayError("usage", `the root certificate ${path} cannot be read`, {
      hint: "Check sslrootcert in the database's URL.",
      cause: error,
    });
  }
}
