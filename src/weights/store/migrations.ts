// The schema of a stored value, and the migrations from older versions. Append a migration when the schema changes; never edit one.

/** A shard as it is stored; `bytes` reveals a Blob whose file the host has emptied. */
export interface StoredValue {
  readonly version: number;
  readonly blob: Blob;
  readonly bytes: number;
}

/** Migration i turns a value of version i + 1 into one of version i + 2. */
const migrations: readonly ((value: object) => object)[] = [];

/** The version of new values. */
export const currentVersion = migrations.length + 1;

/** The Blob of a stored value of any known version; undefined for any other value, so that the shard is fetched again. */
export function readStored(value: unknown): Blob | undefined {
  if (typeof value !== "object" || value === null || !("version" in value)) return undefined;
  const { version } = value;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1 || version > currentVersion)
    return undefined;
  const migrated = migrations.slice(version - 1).reduce((older: object, migrate) => migrate(older), value);
  if (!("blob" in migrated) || !("bytes" in migrated)) return undefined;
  const { blob, bytes } = migrated;
  return blob instanceof Blob && blob.size === bytes ? blob : undefined;
}
