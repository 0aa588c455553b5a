// What the page's address asks for, beside a conversation and a question.
import { defaultHub, hubAddressOf } from "#chat/models/look-up/package-address.ts";
import { repositoriesOf } from "#zoo/zoo.ts";

interface PageOptions {
  /** Where models run; "auto" takes the GPU where it can be used. */
  readonly device: "auto" | "webgpu" | "wasm";
  /** Absolute URL of the hub, or of a mirror of it, with a trailing slash. */
  readonly hub: string;
  /** An id of the zoo, a name, or what a model is called on its server. */
  readonly model: string | undefined;
}

/** Reads `?device=`, `?hub=` and `?model=`; what makes no sense counts as absent. */
export function readPageOptions(address: string): PageOptions {
  const { searchParams } = new URL(address);
  const device = searchParams.get("device");
  return {
    device: device === "webgpu" || device === "wasm" ? device : "auto",
    hub: hubAddressOf(searchParams.get("hub")) ?? defaultHub,
    model: searchParams.get("model") ?? undefined,
  };
}

/**
 * Which model the page begins with: the one that its address names, else the one that was chosen last, else the built-in one. Several ids
 * of a model of the zoo, whose package is called after the repository that it was made from.
 */
export function firstModelIds(
  asked: string | undefined,
  chosenLast: string | undefined,
  builtInId: string,
): readonly string[] {
  return repositoriesOf(asked ?? chosenLast ?? builtInId);
}
