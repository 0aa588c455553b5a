// The settings of how answers are generated, and how they become a request. Knows no storage.
import type { GenerateRequest, ImageMode, Message, PictureDetail, Sampling } from "#engine/types.ts";
import type { ModelRecord } from "#zoo/models.ts";

export interface Settings {
  /** Always take the most likely token: no sampling, so that temperature, top-p, top-k and min-p have no effect. */
  readonly greedy: boolean;
  /** 0–1 */
  readonly temperature: number;
  /** 0–1 */
  readonly topP: number;
  /** 1–1024 */
  readonly maxNewTokens: number;
  /** 0–200; 0 is off. */
  readonly topK: number;
  /** 0–0.5; 0 is off. */
  readonly minP: number;
  /** 1–1.5; 1 is off. */
  readonly repetitionPenalty: number;
  /** 32 bits; where it is absent, every answer is sampled with another random seed. */
  readonly seed?: number;
  /** "" leaves the model the system prompt it was trained with. */
  readonly systemPrompt: string;
  readonly imageMode: ImageMode;
  /** How closely pictures are looked at by models that see them in tiles. */
  readonly detail: PictureDetail;
}

/** What the settings panel allows; temperature, top-p and length as in LLaVA's demo. */
export const settingRanges = {
  temperature: { min: 0, max: 1, step: 0.1 },
  topP: { min: 0, max: 1, step: 0.05 },
  maxNewTokens: { min: 16, max: 1024, step: 16 },
  topK: { min: 0, max: 200, step: 1 },
  minP: { min: 0, max: 0.5, step: 0.01 },
  repetitionPenalty: { min: 1, max: 1.5, step: 0.01 },
} as const;

export const largestSeed = 2 ** 32 - 1;
/** In UTF-16 units. */
export const longestSystemPrompt = 4000;

/**
 * The defaults of LLaVA's demo. Only a model of basics starts greedy: its answers are short facts of a small world, where the
 * most likely word is the right one far more often than any other, and the same question should get the same answer.
 */
export function defaultSettings(record: Pick<ModelRecord, "knows">): Settings {
  return {
    greedy: record.knows === "basics",
    temperature: 0.2,
    topP: 0.7,
    maxNewTokens: 512,
    topK: 0,
    minP: 0,
    repetitionPenalty: 1,
    systemPrompt: "",
    imageMode: "auto",
    detail: "auto",
  };
}

/** LLaVA's training data has three kinds of question; each wants answers of its own length. */
export type QuestionKind = "conversation" | "detail" | "reasoning";

/** What a kind of question sets; the rest stays as it is. Long descriptions repeat themselves unless that costs a little. */
export const presets: Readonly<Record<QuestionKind, Partial<Settings>>> = {
  conversation: { temperature: 0.2, topP: 0.7, maxNewTokens: 512, topK: 0, minP: 0, repetitionPenalty: 1 },
  detail: { temperature: 0.2, topP: 0.7, maxNewTokens: 1024, topK: 0, minP: 0, repetitionPenalty: 1.05 },
  reasoning: { temperature: 0.2, topP: 0.7, maxNewTokens: 1024, topK: 0, minP: 0, repetitionPenalty: 1 },
};

/** The kind of question whose preset these settings are; undefined when they are none. */
export function presetOf(settings: Settings): QuestionKind | undefined {
  const kinds: readonly QuestionKind[] = ["conversation", "detail", "reasoning"];
  return kinds.find((kind) =>
    Object.entries(presets[kind]).every(([name, value]) =>
      Object.entries(settings).some(([n, v]) => n === name && v === value),
    ),
  );
}

/** The sampling these settings mean. */
export function toSampling(settings: Settings): Sampling {
  return {
    temperature: settings.greedy ? 0 : settings.temperature,
    topK: settings.topK,
    // With a top-p of 0 no token would be left. The demo's slider goes that far, so 0 means the smallest value.
    topP: Math.max(settings.topP, 0.01),
    minP: settings.minP,
    repetitionPenalty: settings.repetitionPenalty,
    ...(settings.seed === undefined ? {} : { seed: settings.seed }),
  };
}

/** How an alternative answer is sampled: at a higher temperature each time that it has repeated an earlier one. */
const variedSampling = [
  { temperature: 0.8, topP: 0.95, topK: 0 },
  { temperature: 1.2, topP: 1, topK: 40 },
  { temperature: 2, topP: 1, topK: 40 },
] as const;
export const mostVariations = variedSampling.length;

/** The settings for an answer that should differ from earlier ones: sampled, without the seed. `tries` counts from 0. */
export function variedSettings(settings: Settings, tries: number): Settings {
  const rest: { -readonly [K in keyof Settings]: Settings[K] } = { ...settings };
  delete rest.seed;
  const { temperature, topP, topK } = variedSampling[Math.min(tries, mostVariations - 1)] ?? variedSampling[0];
  return {
    ...rest,
    greedy: false,
    temperature: Math.max(temperature, settings.greedy ? 0 : settings.temperature),
    topP: Math.max(topP, settings.topP),
    topK,
    minP: 0,
  };
}

/** The request for these messages, which hold no system message yet. */
export function toRequest(settings: Settings, messages: readonly Message[]): GenerateRequest {
  const system = settings.systemPrompt.trim();
  const spoken: readonly Message[] =
    system === "" ? messages : [{ role: "system", parts: [{ type: "text", text: system }] }, ...messages];
  return {
    messages: spoken,
    sampling: toSampling(settings),
    maxNewTokens: settings.maxNewTokens,
    stop: [],
    ...(settings.imageMode === "auto" ? {} : { imageMode: settings.imageMode }),
    ...(settings.detail === "auto" ? {} : { detail: settings.detail }),
  };
}
