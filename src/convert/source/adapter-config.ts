// The config of a peft adapter: which kinds can be merged, and how strongly each module's change counts. Knows no tensors.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { JsonObject } from "#convert/checkpoint/json-file.ts";

export const adapterConfigName = "adapter_config.json";

const Patterns = v.nullish(v.record(v.string(), v.number()));
const Indices = v.array(v.pipe(v.number(), v.integer(), v.minValue(0)));

const Config = v.looseObject({
  peft_type: v.optional(v.string(), "LORA"),
  r: v.pipe(v.number(), v.integer(), v.minValue(1)),
  lora_alpha: v.number(),
  fan_in_fan_out: v.nullish(v.boolean()),
  use_rslora: v.nullish(v.boolean()),
  use_dora: v.nullish(v.boolean()),
  rank_pattern: Patterns,
  alpha_pattern: Patterns,
  ensure_weight_tying: v.nullish(v.boolean()),
  init_lora_weights: v.nullish(v.union([v.boolean(), v.string()])),
  trainable_token_indices: v.nullish(v.union([Indices, v.record(v.string(), Indices)])),
  base_model_name_or_path: v.nullish(v.string()),
});

/** Settings of peft that change the arithmetic in ways that are not known here. */
const variants = [
  "use_qalora",
  "use_bdlora",
  "layer_replication",
  "target_parameters",
  "alora_invocation_tokens",
  "arrow_config",
  "kasa_config",
  "monteclora_config",
];

export interface AdapterConfig {
  readonly baseName: string | undefined;
  readonly dora: boolean;
  /** Embeddings and output layer that are one in the base stay one where either was trained. */
  readonly keepsTied: boolean;
  /** The rank that a module's matrices have to have. */
  rankOf(module: string): number;
  /** The factor before B · A. */
  scaleOf(module: string): number;
  /** Rows of a module's table that were trained alone. */
  tokensOf(module: string): readonly number[] | undefined;
}

/** The parsed config; throws EngineError("bad-checkpoint") for kinds that can't be merged. */
export function parseAdapterConfig(json: JsonObject, name: string): AdapterConfig {
  const parsed = v.safeParse(Config, json);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw badCheckpoint(`${adapterConfigName}: ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
  }
  const config = parsed.output;
  const variant = variants.find((field) => isSet(config[field]));
  const init = String(config.init_lora_weights ?? true);
  const refused: readonly (readonly [unknown, string])[] = [
    [config.peft_type !== "LORA", `is of the kind ${config.peft_type}; only LORA can be merged`],
    [config.fan_in_fan_out, "has fan_in_fan_out set, which no LLaVA's base needs; it can't be merged"],
    [
      variant !== undefined,
      `sets ${variant ?? ""}, whose arithmetic is not known here; merge it with peft's merge_and_unload`,
    ],
    [
      /^(pissa|olora|corda|lora_ga)/.test(init),
      `began as ${init}, which changed its base's weights, too; it can't be merged`,
    ],
  ];
  for (const [applies, sentence] of refused)
    if (applies === true) throw badCheckpoint(`the adapter ${name} ${sentence}`);

  const ranks = patternReader("rank_pattern", config.rank_pattern);
  const alphas = patternReader("alpha_pattern", config.alpha_pattern);
  const rankOf = (module: string): number => ranks(module) ?? config.r;
  const tokens = config.trainable_token_indices ?? [];
  return {
    baseName: config.base_model_name_or_path ?? undefined,
    dora: config.use_dora === true,
    keepsTied: config.ensure_weight_tying === true,
    rankOf,
    scaleOf(module) {
      const rank = rankOf(module);
      return (alphas(module) ?? config.lora_alpha) / (config.use_rslora === true ? Math.sqrt(rank) : rank);
    },
    tokensOf(module) {
      if (Array.isArray(tokens)) return tokens;
      return Object.entries(tokens).find(([key]) => module === key || module.endsWith(`.${key}`))?.[1];
    },
  };
}

function isSet(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== false;
}

/** Looks a module up as peft does: each key is a regular expression for the end of its name, and the first that fits counts. */
function patternReader(field: string, patterns: Readonly<Record<string, number>> | null | undefined) {
  const rules = Object.entries(patterns ?? {}).map(([key, value]) => {
    // A repeated repetition takes time that doubles with every letter of a name.
    if (/[*+}]\)+[*+{]/.test(key) || key.length > 1000) throw badCheckpoint(`${adapterConfigName}: ${field} has ${shortened(key)}, which is too tangled`); // prettier-ignore
    try {
      return { fits: new RegExp(`^(?:.*\\.)?(?:${key})$`), value };
    } catch (cause) {
      throw badCheckpoint(`${adapterConfigName}: ${field} has ${shortened(key)}, which is no pattern`, { cause }); // prettier-ignore
    }
  });
  return (module: string): number | undefined => rules.find(({ fits }) => fits.test(module))?.value;
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
