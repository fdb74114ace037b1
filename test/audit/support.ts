import { appendAudit } from "../../shared/audit.ts";
import type { Belay } from "../../shared/context.ts";
import { installBelay } from "../../shared/install.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase, createDatabaseOn, type TestDatabase } from "../support/postgres.ts";

export type Major = 15 | 17 | 18;

/** A database with an audit log, its store, and a session that may do what a superuser may. */
export interface World {
  readonly database: TestDatabase;
  readonly session: Session;
  readonly store: ObjectStore;
  readonly belay: Belay;
  append(...subjects: readonly string[]): Promise<void>;
  /** Changes the log as a superuser would who leaves no trace: the triggers are as before. */
  tamper(sql: string): Promise<void>;
  close(): Promise<void>;
}

export async function openWorld(options: { major?: Major; server?: string; store?: ObjectStore } = {}): Promise<World> {
  const { major, server } = options;
  const database =
    server === undefined ? await createDatabase(major === undefined ? {} : { major }) : await createDatabaseOn(server);
  const session = await openSession(database.url);
  await installBelay(session);
  const store = options.store ?? createFolderStore(temporaryFolder());
  return {
    database,
    session,
    store,
    belay: testBelay({ database: database.url, store, actor: "alice" }),
    append: async (...subjects) => {
      for (const subject of subjects)
        await appendAudit(session, { actor: "alice", action: "test", subject, details: { z: 1.5, a: ["é", null] } });
    },
    tamper: (sql) => tamper(session, sql),
    close: async () => {
      await session.close();
      await database.drop();
    },
  };
}

/** The same database with an empty log and another store: a database of its own for every test takes long. */
export async function renewed(world: World): Promise<World> {
  await world.session.run("rollback; drop table if exists log, last; delete from belay.audit_anchors");
  await tamper(world.session, "delete from belay.audit_log");
  const store = createFolderStore(temporaryFolder());
  return { ...world, store, belay: testBelay({ database: world.database.url, store, actor: "alice" }) };
}

async function tamper(session: Session, sql: string): Promise<void> {
  await session.run(`begin;
    alter table belay.audit_log disable trigger all;
    ${sql};
    alter table belay.audit_log enable always trigger append_only;
    alter table belay.audit_log enable always trigger append_only_truncate;
    commit`);
}

/** Computes the hashes anew from a row on, as somebody would who knows how. */
export const rehashFrom = (id: number) => `
  do $$ declare r belay.audit_log; before text; begin
    select coalesce((select hash from belay.audit_log where id < ${id} order by id desc limit 1), repeat('0', 64)) into before;
    for r in select * from belay.audit_log where id >= ${id} order by id loop
      r.previous_hash := before;
      before := encode(sha256(convert_to(belay.audit_text(r), 'UTF8')), 'hex');
      update belay.audit_log set previous_hash = r.previous_hash, hash = before where id = r.id;
    end loop;
  end $$`;

/** A new pair of Ed25519 keys as the settings and `--key` take them. */
export async function newKeys(): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const [pkcs8, spki] = await Promise.all([
    crypto.subtle.exportKey("pkcs8", pair.privateKey),
    crypto.subtle.exportKey("spki", pair.publicKey),
  ]);
  return { privateKey: Buffer.from(pkcs8).toString("base64"), publicKey: Buffer.from(spki).toString("base64") };
}
