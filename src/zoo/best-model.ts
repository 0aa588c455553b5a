// The best model for photos on a device: the first that the page offers. Pure.
import type { DeviceFacts } from "#weights/fit.ts";
import type { ZooRecord } from "./record.ts";
import { zooRecord } from "./zoo.ts";

const gibibyte = 2 ** 30;
/** A browser tells no GPU's memory. A machine with this much of its own has, as a rule, 8 GB for a GPU, or shares that much with it. */
const largeMemory = 16 * gibibyte;
/** The largest buffer of a GPU that a 7B model's tables fit in; small GPUs have 256 MiB to 1 GiB. */
const largeBuffer = 2 * gibibyte - 4;
/** A machine with less keeps it for its browser. */
const mediumMemory = 8 * gibibyte;
const mediumBuffer = gibibyte - 4;

/**
 * CPU: the smallest, which reads a picture fastest. Small GPUs: the next. GPUs with 16 bits and room: LLaVA-OneVision 0.5B. Those that hold
 * a 7B model: LLaVA 1.6. What the browser does not tell counts as medium.
 */
export function bestModelFor({ gpu, memoryBytes = mediumMemory }: DeviceFacts): ZooRecord {
  if (gpu === undefined) return named("smolvlm-256m");
  if (!gpu.shaderF16 || gpu.maxBufferBytes < mediumBuffer || memoryBytes < mediumMemory) return named("smolvlm-500m");
  if (gpu.maxBufferBytes < largeBuffer || memoryBytes < largeMemory) return named("llava-onevision-0.5b");
  return named("llava-1.6-mistral-7b");
}

function named(id: string): ZooRecord {
  const record = zooRecord(id);
  if (record === undefined) throw new Error(`the zoo has no ${id}`);
  return record;
}
