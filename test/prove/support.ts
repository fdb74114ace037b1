import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ProveOptions, proveFolder } from "../../shared/migrations/prove/prove.ts";
import type { Proof } from "../../shared/migrations/prove/types.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import type { LayoutName, MigrationFolder } from "../../shared/migrations/types.ts";
import { temporaryFolder } from "../support/belay.ts";
import { serverUrl } from "../support/postgres.ts";

export type Files = Readonly<Record<string, string>>;

/** Up and down of each migration, as files of pairs; a down that is left out has no file. */
export type Pairs = Readonly<Record<string, readonly [up: string, down?: string]>>;

export function filesOf(pairs: Pairs): Files {
  return Object.fromEntries(
    Object.entries(pairs).flatMap(([name, [up, down]]) => [
      [`${name}.up.sql`, up],
      ...(down === undefined ? [] : [[`${name}.down.sql`, down]]),
    ]),
  );
}

export function writeFiles(files: Files, directory = temporaryFolder()): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

export async function folderOf(files: Files, layout?: LayoutName): Promise<MigrationFolder> {
  return await readMigrationFolder(writeFiles(files), layout);
}

/** Proves a folder on the run's server, and answers the proofs by migration. */
export async function proofsOf(
  folder: MigrationFolder,
  options: Partial<ProveOptions> = {},
): Promise<Readonly<Record<string, Proof>>> {
  const url = await serverUrl();
  const openServer = async () => ({ scratchUrl: url, now: () => new Date() });
  const proofs = await proveFolder({ folder, server: "test", openServer, ...options });
  return Object.fromEntries(proofs.map((proof) => [proof.migration, proof]));
}

export async function provePairs(pairs: Pairs, options: Partial<ProveOptions> = {}) {
  return await proofsOf(await folderOf(filesOf(pairs), "up-down-pair"), options);
}

/**
 * Proves pairs in one chain, each on a table of its own: for a case, `shop` and words that begin with it mean its own
 * table `shop (id, name, price)`, with three rows.
 */
export async function proveCases<Name extends string>(
  cases: Readonly<Record<Name, readonly [up: string, down?: string]>>,
  options: Partial<ProveOptions> = {},
): Promise<Readonly<Record<Name, Proof>>> {
  const pairs: Record<string, readonly [string, string?]> = {};
  const places = Object.entries<readonly [string, string?]>(cases).map(([name, texts], index) => {
    const own = (text: string) => text.replaceAll(/\bshop/g, `shop${index}`);
    pairs[`${2 * index + 1}_shop`] = [own(shop), own("drop table shop")];
    pairs[`${2 * index + 2}_it`] = texts.map((text) => own(text!)) as [string, string?];
    return [name, `${2 * index + 2}_it`] as const;
  });
  const proofs = await provePairs(pairs, options);
  return Object.fromEntries(places.map(([name, place]) => [name, proofs[place]!])) as Record<Name, Proof>;
}

const shop = `create table shop (id serial primary key, name text not null, price int);
  insert into shop (name) values ('a'), ('b'), ('c')`;
