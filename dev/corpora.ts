import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Folders below `place` that hold migrations with a measured verdicts.tsv, by name; none when there is no such place. */
export function corporaOf(place: string): string[] {
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .sort()
    .map((name) => join(place, name))
    .filter((folder) => existsSync(join(folder, "verdicts.tsv")));
}

/** The rows of a tab-separated file by the names of its first line. */
export function readTable(file: string): Record<string, string | undefined>[] {
  const [head, ...lines] = readFileSync(file, "utf8").split("\n");
  const names = head!.split("\t");
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const values = line.split("\t");
      return Object.fromEntries(names.map((name, index) => [name, values[index]]));
    });
}
