// The models of the zoo that transformers.js runs, as their downloads see them.
import type { HubPrecision } from "#weights/download/hub-plan.ts";
import type { OnnxSource, ZooRecord } from "./record.ts";
import { zooModels } from "./zoo.ts";

/** A repository on the hub that src/hub can run. */
export interface HubModelRecord extends ZooRecord, OnnxSource {}

export const hubModels: readonly HubModelRecord[] = zooModels.flatMap((record) => {
  const [source] = record.sources;
  return source.format === "onnx" ? [{ ...record, ...source }] : [];
});

/** The download size on a device; not `exact` where only the size for other devices, the smallest of them, is known. */
export function sizeOn(
  { bytes }: HubModelRecord,
  precision: HubPrecision | undefined,
): { readonly bytes: number; readonly exact: boolean } {
  const known = precision === undefined ? undefined : bytes[precision];
  return known === undefined
    ? { bytes: Math.min(...Object.values(bytes)), exact: false }
    : { bytes: known, exact: true };
}
