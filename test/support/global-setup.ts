import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startS3 } from "../../dev/s3.ts";
import { stopAll } from "../../servers/cleanup.ts";
import { debianMajor, debianPrograms } from "../../servers/debian.ts";
import { startPostgres } from "../../servers/postgres.ts";
import { installedPrograms, type Major } from "../../servers/postgres-programs.ts";
import { installBelay } from "../../shared/install.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { databaseUrl, runSql } from "./postgres.ts";

declare module "vitest" {
  export interface ProvidedContext {
    postgresUrl: string;
    postgresMajor: Major;
    /** A database of that server with Belay's schema, to be copied. */
    installedTemplate: string;
    /** Null when Debian's server or pg_dump is not installed. */
    debianUrl: string | null;
    /** Removed after the run. */
    temporaryFolder: string;
    s3: { endpoint: string; bucket: string; accessKeyId: string; secretAccessKey: string };
  }
}

/** Starts the servers that all tests share, once per run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const major = testMajor(process.env.BELAY_TEST_POSTGRES);
  const debian = debianPrograms(debianMajor);
  const [server, s3, debianServer] = await Promise.all([
    startPostgres({ major }),
    startS3(),
    debian === null ? null : startPostgres({ programs: installedPrograms(debian) }),
  ]);
  project.provide("postgresUrl", server.url);
  project.provide("postgresMajor", major);
  project.provide("installedTemplate", await makeTemplate(server.url));
  project.provide("debianUrl", debianServer?.url ?? null);
  const { endpoint, bucket, accessKeyId, secretAccessKey } = s3;
  project.provide("s3", { endpoint, bucket, accessKeyId, secretAccessKey });
  const folder = mkdtempSync(join(tmpdir(), "belay-test-run-"));
  // Postgres programs run as another user read archives there.
  chmodSync(folder, 0o755);
  project.provide("temporaryFolder", folder);
  return async () => {
    rmSync(folder, { recursive: true, force: true });
    await stopAll();
  };
}

async function makeTemplate(server: string): Promise<string> {
  const name = "belay_installed";
  await runSql(server, `create database ${name}`);
  const session = await openSession(databaseUrl(server, name));
  await installBelay(session);
  await session.close();
  return name;
}

function testMajor(text: string | undefined): Major {
  const majors: readonly Major[] = [15, 17, 18];
  const major = majors.find((known) => String(known) === (text ?? "17"));
  if (major === undefined) throw new Error(`BELAY_TEST_POSTGRES is ${text}: use 15, 17 or 18`);
  return major;
}
