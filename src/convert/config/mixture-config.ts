// The part of a mixture's config.json that describes its second tower: an EfficientNet-Lite classifier (Tan & Le 2019) whose features
// and likeliest classes stand beside those of the vision transformer. training/mixture_folder.py writes such checkpoints.
import * as v from "valibot";

/** Consecutive inverted residual blocks; the first one has the stride. */
interface ClassifierStage {
  /** How many times wider the depthwise convolution is than the block's input. */
  readonly expand: number;
  readonly channels: number;
  readonly blocks: number;
  readonly stride: number;
  /** Side of the depthwise convolution's kernel. */
  readonly kernel: number;
}

export interface MixtureConfig {
  /** Pixels on a side of the picture that both towers get; the transformer's is made smaller inside the graph. */
  readonly imageSize: number;
  readonly stem: number;
  readonly stages: readonly ClassifierStage[];
  readonly head: number;
  readonly classes: number;
  /** Picture tokens that carry the likeliest classes. */
  readonly classTokens: number;
  /** Width between the projector's two layers. */
  readonly projectorHidden: number;
}

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_536));
const stride = v.picklist([1, 2]);
const kernel = v.picklist([3, 5]);

/** `classifier_config` and `projector_hidden_size` of a mixture's config.json. */
export const Mixture = v.looseObject({
  projector_hidden_size: count,
  classifier_config: v.looseObject({
    model_type: v.literal("efficientnet_lite"),
    image_size: v.pipe(count, v.multipleOf(2), v.maxValue(1024)),
    stem_channels: count,
    stages: v.pipe(v.array(v.strictTuple([count, count, count, stride, kernel])), v.minLength(1), v.maxLength(64)),
    head_channels: count,
    num_labels: count,
    class_tokens: v.pipe(count, v.maxValue(64)),
  }),
});

export function mixtureOf({ projector_hidden_size, classifier_config }: v.InferOutput<typeof Mixture>): MixtureConfig {
  return {
    imageSize: classifier_config.image_size,
    stem: classifier_config.stem_channels,
    stages: classifier_config.stages.map(([expand, channels, blocks, stride, kernel]) => ({
      expand,
      channels,
      blocks,
      stride,
      kernel,
    })),
    head: classifier_config.head_channels,
    classes: classifier_config.num_labels,
    classTokens: classifier_config.class_tokens,
    projectorHidden: projector_hidden_size,
  };
}

/** One inverted residual block: 1 × 1 convolution to `middle` channels (none where that is `inputs`), depthwise, 1 × 1 to `outputs`. */
export interface ClassifierBlock {
  readonly inputs: number;
  readonly middle: number;
  readonly outputs: number;
  readonly stride: number;
  readonly kernel: number;
  /** Pixels on a side of the block's input. */
  readonly side: number;
}

/** The blocks in their order. */
export function classifierBlocks({ imageSize, stem, stages }: MixtureConfig): readonly ClassifierBlock[] {
  const blocks: ClassifierBlock[] = [];
  let [side, inputs] = [Math.ceil(imageSize / 2), stem];
  for (const { expand, channels, blocks: count, stride: first, kernel } of stages) {
    for (let number = 0; number < count; number++) {
      const stride = number === 0 ? first : 1;
      blocks.push({ inputs, middle: inputs * expand, outputs: channels, stride, kernel, side });
      [side, inputs] = [Math.ceil(side / stride), channels];
    }
  }
  return blocks;
}

/** Cells on a side of the classifier's last feature map, and its channels. */
export function classifierFeatures(config: MixtureConfig): { readonly side: number; readonly channels: number } {
  const last = classifierBlocks(config).at(-1);
  return { side: Math.ceil((last?.side ?? 1) / (last?.stride ?? 1)), channels: last?.outputs ?? config.stem };
}
