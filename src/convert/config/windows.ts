// Sliding windows of attention in a decoder's config: which layers have one, and how long it is.
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";

/** The fields of `text_config` that say so. */
export interface WindowFields {
  readonly sliding_window?: number | null | undefined;
  readonly use_sliding_window: boolean;
  readonly max_window_layers?: number | null | undefined;
  readonly layer_types?: readonly string[] | null | undefined;
}

/** Windows of classes that have one where their config leaves it out. */
const defaultWindows: Readonly<Record<string, number>> = { mistral: 4096, gemma2: 4096, qwen2: 4096, qwen3: 4096 };

/**
 * Per layer, how many positions each one sees, itself included; undefined where it sees all before it. Windows as long as the context are
 * none.
 */
export function attentionWindows(
  type: string,
  layers: number,
  context: number,
  fields: WindowFields,
): readonly (number | undefined)[] {
  const stated = fields.sliding_window === undefined ? defaultWindows[type] : (fields.sliding_window ?? undefined);
  const window = stated !== undefined && stated < context ? stated : undefined;
  return Array.from({ length: layers }, (_, layer) => (hasWindow(type, layer, layers, fields) ? window : undefined));
}

function hasWindow(type: string, layer: number, layers: number, fields: WindowFields): boolean {
  switch (type) {
    case "mistral":
    case "phi3":
      return true;
    case "qwen2":
    case "qwen3":
      if (!fields.use_sliding_window) return false;
      return typeOf(layer, layers, fields.layer_types) ?? layer >= (fields.max_window_layers ?? 28);
    case "gemma2":
      return typeOf(layer, layers, fields.layer_types) ?? layer % 2 === 0;
    default:
      return false;
  }
}

function typeOf(layer: number, layers: number, types: readonly string[] | null | undefined): boolean | undefined {
  if (types == null) return undefined;
  const type = types[layer];
  if (types.length === layers && type === "sliding_attention") return true;
  if (types.length === layers && type === "full_attention") return false;
  throw badCheckpoint(
    types.length === layers
      ? `text_config.layer_types names "${type}"; known are full_attention and sliding_attention`
      : `text_config.layer_types has ${types.length} entries for ${layers} layers`,
  );
}
