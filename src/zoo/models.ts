// The model zoo: one record per model, data only.

/** A model the page offers. `path` is relative to the page's base URL, or an absolute URL. */
export interface ModelRecord {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly license: string;
  readonly parameters: number;
  /** In which it can be asked, as tags of HTML; the best first. */
  readonly languages: readonly string[];
  /** What its answers can be trusted on; the page says it plainly. */
  readonly knows: "pictograms" | "photographs";
  /** What it says of a picture that it does not know: how the page notices that another model would do better. */
  readonly saysOfPhotographs?: string;
}

export const models: readonly ModelRecord[] = [
  {
    id: "pocket-llava",
    name: "Pocket LLaVA",
    path: "models/pocket-llava/",
    license: "Apache-2.0",
    parameters: 10_340_096,
    languages: ["en"],
    knows: "pictograms",
    saysOfPhotographs: "This looks like a photograph",
  },
];

/** The model that is loaded when nothing else is asked for. */
export const builtInModelId = "pocket-llava";
