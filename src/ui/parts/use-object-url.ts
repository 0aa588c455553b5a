// Object URLs for pictures: one per Blob, shared by all components that show it, revoked when the last of them unmounts.
import { useEffect, useState } from "preact/hooks";

interface Entry {
  readonly url: string;
  users: number;
}
const entries = new Map<Blob, Entry>();

/** The URL of a Blob while the component lives; undefined before the first effect. */
export function useObjectUrl(blob: Blob): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const entry = entries.get(blob) ?? { url: URL.createObjectURL(blob), users: 0 };
    entries.set(blob, entry);
    entry.users += 1;
    setUrl(entry.url);
    return () => {
      entry.users -= 1;
      if (entry.users > 0) return;
      URL.revokeObjectURL(entry.url);
      entries.delete(blob);
    };
  }, [blob]);
  return url;
}
