// The vision encoder: normalised pixels in, the vision graph's outputs out. Runs on this project's own kernel or in a session of the runtime.
import { EngineError } from "#engine/errors.ts";
import type { VisionTower } from "#engine/kernel/vision.ts";
import type { Runtime, RuntimeTensor, Session } from "#engine/runtime/runtime.ts";

/** Outputs by the graph's names: image_features [.., rows, projected], and tower_features, image_newline and photograph where the graph yields them. */
export type VisionOutputs = Map<string, RuntimeTensor>;

/** A vision tower with its projector. One run at a time. */
export interface VisionEncoder {
  /** Normalised pixels [3, size, size] → the graph's outputs, which are the caller's. */
  run(pixels: Float32Array): Promise<VisionOutputs>;
  release(): Promise<void>;
}

/** The encoder on the kernel, which it then owns. */
export function kernelEncoder(runtime: Runtime, tower: VisionTower): VisionEncoder {
  return {
    run(pixels) {
      const { features, projected, tower: towerFeatures, hidden, newline, photograph } = tower.run(pixels);
      const outputs: VisionOutputs = new Map();
      const add = (name: string, data: Float32Array | undefined, width: number): void => {
        if (data) outputs.set(name, runtime.tensor("float32", data, [1, data.length / width, width]));
      };
      add("image_features", features, projected);
      add("tower_features", towerFeatures, hidden);
      add("image_newline", newline?.slice(), projected);
      if (photograph !== undefined)
        outputs.set("photograph", runtime.tensor("float32", Float32Array.of(photograph), [1, 1]));
      return Promise.resolve(outputs);
    },
    release: () => {
      tower.release();
      return Promise.resolve();
    },
  };
}

/** The encoder in a session, which it then owns, for pixels of these dimensions. */
export function sessionEncoder(runtime: Runtime, session: Session, dims: readonly number[]): VisionEncoder {
  return {
    run(pixels) {
      const input = runtime.tensor("float32", pixels, dims);
      return session.run({ pixel_values: input }).finally(() => input.dispose());
    },
    release: () => session.release(),
  };
}

/** The encoder's outputs with those of an adapter's own projector in their place; disposes what it does not return. */
export async function withProjector(outputs: VisionOutputs, projector: Session): Promise<VisionOutputs> {
  try {
    const tower = outputs.get("tower_features");
    if (!tower) throw new EngineError("bad-package", "the vision graph yields no tower_features");
    for (const [name, tensor] of await projector.run({ tower_features: tower })) {
      outputs.get(name)?.dispose();
      outputs.set(name, tensor);
    }
    return outputs;
  } catch (error) {
    disposeOutputs(outputs);
    throw error;
  }
}

export function disposeOutputs(outputs: VisionOutputs): void {
  for (const tensor of outputs.values()) tensor.dispose();
}
