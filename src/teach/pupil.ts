// The model that is taught, as it is: what it answers, and what of a conversation goes into its decoder. Pictures are pixels already, since each is
// shown in several views.
import { EngineError } from "#engine/errors.ts";
import { createGenerator } from "#engine/generate.ts";
import { placePictures, spellPictures } from "#engine/layout.ts";
import type { AdapterPackage } from "#engine/model/adapter.ts";
import { loadModel } from "#engine/model/load.ts";
import type { PackageInfo } from "#engine/package.ts";
import type { Picture } from "#engine/encode-picture.ts";
import { createPictures } from "#engine/pictures.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { renderPrompt } from "#engine/text/prompt.ts";
import type { GenerateRequest, ImagePart, Message, PackageFiles, Pixels } from "#engine/types.ts";
import type { TaughtTurn } from "./types.ts";

/** A picture that was encoded. */
export interface View {
  readonly part: ImagePart;
  readonly picture: Picture;
  readonly features: Float32Array; // [rows, hidden]
}

/** Tokens of a conversation: ids, and −1 for each row of its picture. The answer's tokens, with the one that ends it, are the last. */
export interface Spoken {
  readonly slots: readonly number[];
  readonly answerTokens: number;
}

export interface Pupil {
  readonly hidden: number;
  show(pixels: Pixels): Promise<View>;
  /** The last turn's answer, after the turns before it. A view of undefined is talk without a picture. */
  speak(view: View | undefined, turns: readonly TaughtTurn[]): Spoken;
  /** What the model says to the question, greedily. */
  ask(view: View | undefined, question: string, mostTokens: number, signal?: AbortSignal): Promise<string>;
  /** Rows for the slots, [slots, hidden]. */
  embed(slots: readonly number[], view: View | undefined): Promise<Float32Array<ArrayBuffer>>;
  /** Goes on with this adapter, or with none; views stay as they are. */
  adapt(adapter: AdapterPackage | undefined): Promise<void>;
  dispose(): Promise<void>;
}

export interface PupilOptions {
  readonly runtime: Runtime;
  readonly files: PackageFiles;
  readonly info: PackageInfo;
}

const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 } as const;

/** Longer than most functions: a closure over the loaded model, of which each of its parts uses another piece. */
export async function loadPupil({ runtime, files, info }: PupilOptions): Promise<Pupil> {
  const model = await loadModel({ runtime, files, info, memoryBudget: 0 });
  const { config, tokenizer } = model;
  const { template, imageAspect, imageTokens, tiles, squares, contextLength } = info.model;
  const shown = new Map<Blob, Pixels>();
  const decodeImage = (blob: Blob): Promise<Pixels> => {
    const pixels = shown.get(blob);
    return pixels ? Promise.resolve(pixels) : Promise.reject(new EngineError("internal", "a view has no pixels"));
  };
  const options = { model, template, imageAspect, imageTokens, tiles, squares, contextLength, decodeImage };
  const generatorNow = () =>
    createGenerator({ ...options, prefillChunk: 256, featureBytes: 2 ** 24, featurePictures: 4, drafts: false });
  let generator = generatorNow();
  let views = 0;

  const idsOf = (messages: readonly Message[], picture: Picture | undefined) => {
    const prompt = renderPrompt(messages, {
      template,
      chatTemplate: config.chatTemplate,
      bosToken: config.bosToken,
      eosToken: config.eosToken,
      imageMarks: config.imageMarks,
      defuse: (text) => tokenizer.defuse(text),
    });
    const pictures = picture ? [picture] : [];
    const ids = tokenizer.encode(spellPictures(prompt.text, pictures));
    return { prompt, slots: placePictures(ids, config.imageTokenId, pictures, () => -1).slots };
  };

  return {
    hidden: config.hiddenSize,
    async show(pixels) {
      // Its bytes only have to differ from those of all others: pixels are what is seen.
      const part: ImagePart = { type: "image", blob: new Blob([`view ${views++}`]) };
      shown.set(part.blob, pixels);
      const pictures = createPictures(options);
      const clock = { imageMs: 0, visionMs: 0 };
      const [picture] = await pictures.measure([part], { mode: "auto", detail: "quick" }, clock);
      if (!picture) throw new EngineError("internal", "a picture was not measured");
      const encoding = pictures.encode(picture, clock);
      for (;;) {
        const next = await encoding.next();
        if (next.done !== true) continue;
        const { features } = next.value;
        const values = (await runtime.read(features)).slice();
        features.dispose();
        return { part, picture, features: values };
      }
    },
    speak(view, turns) {
      const messages = messagesOf(view, turns);
      const asked = idsOf(messages.slice(0, -1), view?.picture);
      const answered = idsOf(messages, view?.picture);
      const { slots } = answered;
      const same = asked.slots.every((slot, i) => slot === slots[i]);
      const stop = answered.prompt.stop.flatMap((text) => tokenizer.idOf(text) ?? tokenizer.encode(text).slice(-1))[0];
      const end = stop ?? config.eosIds[0];
      if (!same || end === undefined) throw new EngineError("bad-package", "an answer changes its prompt's tokens");
      return { slots: [...slots, end], answerTokens: slots.length - asked.slots.length + 1 };
    },
    async ask(view, question, mostTokens, signal) {
      const request: GenerateRequest = {
        messages: messagesOf(view, [{ question, answer: "" }]).slice(0, -1),
        sampling: greedy,
        maxNewTokens: mostTokens,
        stop: [],
        detail: "quick",
      };
      let text = "";
      for await (const event of generator.generate(request, signal)) if (event.type === "text") text += event.text;
      return text.trim();
    },
    async embed(slots, view) {
      const { hiddenSize } = config;
      const out = new Float32Array(slots.length * hiddenSize);
      const tensor = await model.embed(slots.map((slot) => Math.max(slot, 0)));
      out.set(await runtime.read(tensor));
      tensor.dispose();
      let row = 0;
      for (const [i, slot] of slots.entries()) {
        if (slot >= 0) continue;
        const from = row++ * hiddenSize;
        out.set(view?.features.subarray(from, from + hiddenSize) ?? [], i * hiddenSize);
      }
      return out;
    },
    async adapt(adapter) {
      await model.adapt(adapter);
      generator.dispose();
      generator = generatorNow();
    },
    async dispose() {
      generator.dispose();
      await model.dispose();
    },
  };
}

/** The picture comes with the first question. */
function messagesOf(view: View | undefined, turns: readonly TaughtTurn[]): Message[] {
  return turns.flatMap(({ question, answer }, i): Message[] => [
    { role: "user", parts: [...(view && i === 0 ? [view.part] : []), { type: "text", text: question }] },
    { role: "assistant", parts: [{ type: "text", text: answer }] },
  ]);
}
