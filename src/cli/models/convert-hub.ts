// Converts a model of a hub while it is fetched; a run that was ended early is gone on with by the next one.
import type { ConvertOptions } from "#convert/convert.ts";
import { convertStream, planStream } from "#convert/convert-stream.ts";
import { fileHashThread } from "#convert/streaming/file-hash.node.ts";
import { folderMaking } from "#convert/streaming/folder-making.node.ts";
import { quantizerThreads } from "#convert/quantize/quantizer.node.ts";
import type { Manifest } from "#weights/manifest.ts";
import { createProgress, timeText } from "#cli/terminal/progress.ts";
import type { FoundCheckpoint } from "./hub-place.ts";

/** Writes the package to `out` and returns its manifest. */
export async function convertFromHub(
  { folder, gguf, hub }: FoundCheckpoint,
  out: string,
  options: Omit<ConvertOptions, "onProgress" | "onNote"> & {
    readonly force: boolean;
    readonly inputs: readonly string[];
  },
): Promise<Manifest> {
  const { stderr } = process;
  const progress = createProgress(stderr);
  const making = await folderMaking(out, { force: options.force, inputs: options.inputs });
  const [quantizer, hash] = [quantizerThreads(), fileHashThread()];
  const all = {
    ...options,
    more: { ...options.more, gguf },
    id: options.id ?? hub?.repository,
    license: options.license ?? hub?.license,
    quantizer,
    hash,
    onNote: (note: string) => {
      progress.end();
      stderr.write(`${note}\n`);
    },
  };
  try {
    const planned = await planStream(folder, all);
    const { streamBytes, packageBytes, files } = planned.plan;
    const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
    const before = (await making.journal())?.about.fetchedBytes ?? 0;
    stderr.write(
      `${folder.name}: ${megabytes(streamBytes)} in ${files.length} files to fetch, ${megabytes(packageBytes)} to keep` +
        `${before > 0 ? `; ${megabytes(before)} were fetched before` : ""}\n`,
    );
    let [file, began] = ["", performance.now()];
    const manifest = await convertStream(planned, making, {
      ...all,
      onProgress({ stage, fetched, toFetch }) {
        if (file === "") began = performance.now();
        file = stage === "finishing" ? "self-test" : (files.findLast(({ start }) => start <= fetched)?.name ?? "");
        progress.update({ file, written: fetched, total: toFetch });
      },
    });
    progress.end();
    stderr.write(`fetched and converted in ${timeText((performance.now() - began) / 1000)}\n`);
    return manifest;
  } finally {
    await Promise.all([quantizer.end(), hash.end()]);
    await making.close();
  }
}
