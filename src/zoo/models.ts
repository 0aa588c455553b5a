// The model zoo: one record per model, data only.

/** A model the page offers. `path` is relative to the page's base URL, or an absolute URL. */
export interface ModelRecord {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly parameters: number;
  /** In which it can be asked, as tags of HTML; the best first. */
  readonly languages: readonly string[];
  /** What its answers can be trusted on: "basics" are a small world that the page names, and short facts about it. */
  readonly knows: "basics" | "photographs";
}

export const models: readonly ModelRecord[] = [
  {
    id: "pocket-llava",
    name: "Pocket LLaVA",
    path: "models/pocket-llava/",
    parameters: 16_078_705,
    languages: ["en"],
    knows: "basics",
  },
];

/** The model that is loaded when nothing else is asked for. */
export const builtInModelId = "pocket-llava";
