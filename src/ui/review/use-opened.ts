// What is open on the page: the files that were given, read, and the pictures among them. Holds everything in memory and stores nothing.
import { useCallback, useMemo, useState } from "preact/hooks";
import { indexFiles, type GivenFile, type GivenFiles } from "#eval/files/given-files.ts";
import { openText, type Opened } from "#review/open.ts";

/** Why a file is not open. */
export type Refusal =
  | { readonly kind: "not-opened" | "not-read"; readonly name: string }
  | { readonly kind: "damaged"; readonly name: string; readonly detail: string };

export interface OpenedState {
  readonly opened: readonly Opened[];
  readonly pictures: GivenFiles;
  readonly refusals: readonly Refusal[];
  readonly busy: boolean;
  readonly give: (files: readonly GivenFile[]) => void;
  readonly close: (opened: Opened) => void;
  readonly closeAll: () => void;
}

const texts = /\.(jsonl?|tsv|txt|ndjson)$/i;
const pictureNames = /\.(png|jpe?g|webp|gif|avif|bmp|ico|tiff?|heic)$/i;
const isPicture = ({ path, blob }: GivenFile): boolean => blob.type.startsWith("image/") || pictureNames.test(path);

/** Nothing is open at first. A file of a name that is open takes the other's place. */
export function useOpened(): OpenedState {
  const [opened, setOpened] = useState<readonly Opened[]>([]);
  const [given, setGiven] = useState<readonly GivenFile[]>([]);
  const [refusals, setRefusals] = useState<readonly Refusal[]>([]);
  const [waiting, setWaiting] = useState(0);
  const give = useCallback((files: readonly GivenFile[]): void => {
    const pictures = files.filter(isPicture);
    if (pictures.length > 0) setGiven((before) => [...before, ...pictures]);
    // A folder has much beside what is meant; a file that was given by itself is meant.
    const read = files.filter((file) => !isPicture(file) && (files.length === 1 || texts.test(file.path)));
    setWaiting((count) => count + 1);
    void openAll(read).then((results) => {
      const good = results.flatMap(({ opened: one }) => one ?? []);
      const names = new Set(good.map(({ name }) => name));
      setOpened((before) => [...before.filter(({ name }) => !names.has(name)), ...good]);
      const isFolder = files.some(({ path }) => path.includes("/"));
      setRefusals(
        results.flatMap(({ refusal }) =>
          refusal && !(isFolder && refusal.kind === "not-opened" && good.length > 0) ? [refusal] : [],
        ),
      );
      setWaiting((count) => count - 1);
    });
  }, []);
  const pictures = useMemo(() => indexFiles(given), [given]);
  return {
    opened,
    pictures,
    refusals,
    busy: waiting > 0,
    give,
    close: (one) => setOpened((before) => before.filter((other) => other !== one)),
    closeAll: () => {
      setOpened([]);
      setGiven([]);
      setRefusals([]);
    },
  };
}

async function openAll(
  files: readonly GivenFile[],
): Promise<readonly { readonly opened?: Opened; readonly refusal?: Refusal }[]> {
  const results = [];
  // One after the other: their texts are large.
  for (const { path, blob } of files) {
    const name = path.replace(/^.*\//, "");
    const text = await blob.text().catch(() => undefined);
    if (text === undefined) {
      results.push({ refusal: { kind: "not-read", name } as const });
      continue;
    }
    try {
      const one = await openText(text, name);
      results.push(one ? { opened: one } : { refusal: { kind: "not-opened", name } as const });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      results.push({ refusal: { kind: "damaged", name, detail } as const });
    }
  }
  return results;
}
