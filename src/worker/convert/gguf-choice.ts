// Which models a place holds in GGUF, what each costs, and which of them suits this device. Reads names and sizes of files only.
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { ggufModels, type GgufModel, type NamedFile } from "#convert/gguf/which-files.ts";
import { quantizationBits } from "#formats/gguf/quantizations.ts";
import { judgeFit, type DeviceFacts } from "#weights/fit.ts";
import type { GgufChoice } from "./convert-api.ts";

/** Below so many parameters 4 bits cost too much: such a model had better have 8. */
const smallModel = 1.5e9;
/** Bits per weight of Q4_K_M and of Q8_0. */
const wanted = { large: 4.85, small: 8.5 } as const;
/** A projector's 16 bits become 8 with their scales. */
const towerShare = 0.56;
/** Graphs, tokenizer and small files. */
const otherBytes = 4e6;

/** Whole models with a projector, the smallest first; one is recommended. */
export async function ggufChoices(folder: CheckpointFolder, device: DeviceFacts): Promise<readonly GgufChoice[]> {
  const names = ((await folder.names?.()) ?? []).filter((path) => /\.gguf$/i.test(path));
  const files = await Promise.all(
    names.map(async (path): Promise<NamedFile> => ({ path, bytes: (await folder.open(path))?.bytes ?? 0 })),
  );
  const choices = ggufModels(files)
    .flatMap((model) => choiceOf(model, device) ?? [])
    .sort((a, b) => a.fetchBytes - b.fetchBytes);
  const best = recommended(choices);
  return choices.map((choice) => ({ ...choice, recommended: choice === best }));
}

function choiceOf({ name, quantization, files, bytes, missing, projectors }: GgufModel, device: DeviceFacts) {
  const [first, projector] = [files[0], projectors[0]];
  if (!first || !projector || missing.length > 0) return undefined;
  const bits = quantization === undefined ? undefined : quantizationBits(quantization);
  // A type that can't be read is not offered.
  if (quantization !== undefined && bits === undefined) return undefined;
  const keepBytes = Math.round(bytes * (bits ? bits.kept / bits.file : 1) + projector.bytes * towerShare + otherBytes);
  return {
    name,
    quantization,
    weights: [first.path, projector.path] as const,
    fetchBytes: bytes + projector.bytes,
    keepBytes,
    fit: judgeFit({ bytes: keepBytes, largestBytes: 0, needsF16: false }, device),
    bitsPerWeight: bits?.file,
    parameters: bits && (bytes * 8) / bits.file,
    recommended: false,
  };
}

type Judged = NonNullable<ReturnType<typeof choiceOf>>;

/** Of those that fit best, the one whose bits come nearest to what a model of its size wants; else the one that takes the least room. */
function recommended(choices: readonly Judged[]): Judged | undefined {
  const fitting = ["fits", "tight"].map((verdict) => choices.filter(({ fit }) => fit.verdict === verdict));
  const candidates =
    fitting.find((some) => some.length > 0) ?? choices.toSorted((a, b) => a.keepBytes - b.keepBytes).slice(0, 1);
  const distance = ({ bitsPerWeight = 16, parameters = Infinity }: Judged): number =>
    Math.abs(bitsPerWeight - (parameters < smallModel ? wanted.small : wanted.large));
  return candidates.reduce<Judged | undefined>(
    (best, choice) => (best === undefined || distance(choice) < distance(best) ? choice : best),
    undefined,
  );
}
