// How answers are generated, as the user sets it, and how that becomes a sampling. Knows no storage.
import type { Sampling } from "#engine/types.ts";
import type { ModelRecord } from "#zoo/models.ts";

export interface Settings {
  /** Always take the most likely token; temperature and top-p then rest. */
  readonly greedy: boolean;
  /** 0–1 */
  readonly temperature: number;
  /** 0–1 */
  readonly topP: number;
  /** 1–1024 */
  readonly maxNewTokens: number;
}

/** What the settings panel allows; the ranges of LLaVA's demo. */
export const settingRanges = {
  temperature: { min: 0, max: 1, step: 0.1 },
  topP: { min: 0, max: 1, step: 0.05 },
  maxNewTokens: { min: 16, max: 1024, step: 16 },
} as const;

/** The defaults of LLaVA's demo; a model that knows few things answers best without dice. */
export function defaultSettings(record: Pick<ModelRecord, "knows">): Settings {
  return { greedy: record.knows === "pictograms", temperature: 0.2, topP: 0.7, maxNewTokens: 512 };
}

/** The sampling these settings mean. */
export function toSampling(settings: Settings): Sampling {
  return {
    temperature: settings.greedy ? 0 : settings.temperature,
    topK: 0,
    // A nucleus of 0 would hold no token at all; the demo's slider goes there, so the smallest one stands in.
    topP: Math.max(settings.topP, 0.01),
    minP: 0,
    repetitionPenalty: 1,
  };
}
