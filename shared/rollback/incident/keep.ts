import { once } from "../../archive/digesting.ts";
import { archiveKey, incidentFiles } from "../../archive/names.ts";
import { patientStore } from "../../audit/patient-store.ts";
import { storeOf } from "../../audit/store-of.ts";
import type { Belay } from "../../context.ts";
import { isBelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { ObjectStore } from "../../store/types.ts";
import { buildIncident } from "./build.ts";
import { incidentMarkdown } from "./markdown.ts";
import { readRecords } from "./records.ts";
import type { Incident, IncidentPlace } from "./types.ts";

const storeMs = 15_000;

/**
 * Writes the incident report into the database and, once and for all, into the store: beside the archive that was written
 * for it, or under `incidents/<id>/`. Never throws; what could not be done is a note.
 */
export async function keepIncident(belay: Belay, session: Session, rollbackId: string): Promise<IncidentPlace> {
  const notes: string[] = [];
  let stored: string | null = null;
  let recorded = false;
  try {
    const incident = buildIncident(await readRecords(session, rollbackId), belay.now());
    stored = await storeFiles(belay, await folderOf(session, rollbackId), incident, notes);
    const { sql } = session;
    await sql`
      insert into belay.incidents (rollback_id, incident, stored_at) values (${rollbackId}, ${sql.json(incident as never)}, ${stored})
      on conflict (rollback_id) do update
         set incident = excluded.incident, stored_at = coalesce(excluded.stored_at, belay.incidents.stored_at), written_at = clock_timestamp()`;
    recorded = true;
  } catch {
    notes.push(
      `the incident report is not in the database yet: the next run writes it, \`belay incident ${rollbackId}\` shows it`,
    );
  }
  return { rollbackId, recorded, stored, notes };
}

/** Only an archive that was written for this very run is its place: an undo may read another's. */
async function folderOf({ sql }: Session, rollbackId: string): Promise<string> {
  const [row] = await sql`
    select a.id from belay.archives a join belay.rollbacks r on r.archive_id = a.id and r.id = a.rollback_id where r.id = ${rollbackId}`;
  return row === undefined ? `incidents/${rollbackId}/` : archiveKey(row.id, "");
}

async function storeFiles(belay: Belay, folder: string, incident: Incident, notes: string[]): Promise<string | null> {
  try {
    const store = storeOf(belay);
    if (store === null) {
      notes.push("no store is set: the incident report is in the database alone");
      return null;
    }
    const patient = patientStore(store, storeMs);
    const [json, markdown] = incidentFiles;
    await create(patient, folder + json, `${JSON.stringify(incident, null, 2)}\n`, "application/json");
    await create(patient, folder + markdown, incidentMarkdown(incident), "text/markdown; charset=utf-8");
    return folder;
  } catch (error) {
    const why = isBelayError(error) ? error.message : "the store failed";
    notes.push(`the incident report is not in the store: ${why}`);
    return null;
  }
}

/** What lies there already was written when it happened, and stays. */
async function create(store: ObjectStore, key: string, text: string, contentType: string): Promise<void> {
  try {
    await store.write(key, once(new TextEncoder().encode(text)), { createOnly: true, contentType });
  } catch (error) {
    if (!isBelayError(error, "store_exists")) throw error;
  }
}
