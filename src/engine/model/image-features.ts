// Keeps the vision tower's output per picture, so that a picture is encoded once; the least recently used go first.
// Knows pictures by key only; owns the tensors it holds. What outlives the engine is in a FeatureStore of its host.
import { elementCount, type RuntimeTensor } from "#engine/runtime/runtime.ts";

export interface ImageFeatures {
  /** Also marks the features as most recently used. */
  get(key: string): RuntimeTensor | undefined;
  /** Takes over the tensor. */
  put(key: string, tensor: RuntimeTensor): void;
  /** Drops the least recently used features until the rest fits. Must not be called while a generation uses any. */
  trim(): void;
  dispose(): void;
}

/** A picture's features in main memory, [rows, hidden]. */
export type KeptFeatures = Float32Array<ArrayBuffer>;

/** A store of features for later visits. What can't be read or stored is simply missing later. */
export interface FeatureStore {
  get(key: string): Promise<KeptFeatures | undefined>;
  put(key: string, features: KeptFeatures): Promise<void>;
}

/** An empty store for at most `maxBytes` of float32 features of at most `maxPictures`. */
export function createImageFeatures(maxBytes: number, maxPictures = Infinity): ImageFeatures {
  const held = new Map<string, RuntimeTensor>(); // oldest first
  return {
    get(key) {
      const tensor = held.get(key);
      if (tensor) {
        held.delete(key);
        held.set(key, tensor);
      }
      return tensor;
    },
    put(key, tensor) {
      held.get(key)?.dispose();
      held.delete(key);
      held.set(key, tensor);
    },
    trim() {
      let bytes = [...held.values()].reduce((sum, tensor) => sum + elementCount(tensor.dims) * 4, 0);
      for (const [key, tensor] of held) {
        if (bytes <= maxBytes && held.size <= maxPictures) return;
        bytes -= elementCount(tensor.dims) * 4;
        held.delete(key);
        tensor.dispose();
      }
    },
    dispose() {
      for (const tensor of held.values()) tensor.dispose();
      held.clear();
    },
  };
}

/** SHA-256 of a picture's bytes, in hex. */
export async function hashPicture(blob: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
