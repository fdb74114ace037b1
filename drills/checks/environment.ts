import { type Check, failed, naming, passed } from "./check.ts";

/** The scratch server has what the archive needs: version, extensions, roles. What lacks is not the backup's fault. */
export const environmentCheck: Check = {
  name: "environment",
  async run({ scratch, manifest }) {
    const lacking: string[] = [];
    const sourceMajor = Math.floor(manifest.source.serverVersionNum / 10_000);
    const scratchMajor = Math.floor(scratch.serverVersion / 10_000);
    if (scratchMajor < sourceMajor) lacking.push(`PostgreSQL ${sourceMajor} (the scratch server is ${scratchMajor})`);
    const wanted = manifest.extensions.map((extension) => extension.name);
    const extensions = await scratch.sql`
      select name from unnest(${wanted}::text[]) name where name not in (select name from pg_available_extensions)`;
    lacking.push(...extensions.map((row) => `extension ${row.name}`));
    const roles = await scratch.sql`
      select name from unnest(${manifest.roles}::text[]) name
      where name not in (select rolname from pg_roles) and lower(name) <> 'public'`;
    lacking.push(...roles.map((row) => `role ${row.name}`));
    if (lacking.length > 0)
      return failed(naming("things are missing on the scratch server", lacking), "environment_mismatch");
    return passed(
      `PostgreSQL ${scratchMajor}, ${wanted.length} extensions and ${manifest.roles.length} roles are there`,
    );
  },
};
