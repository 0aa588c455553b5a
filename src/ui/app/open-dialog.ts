// Which dialog of the page is open, and what it was opened with.
import type { ModelPackage } from "#ui/models/ImportModel.tsx";

export type OpenDialog =
  | { readonly name: "none" | "settings" | "about" | "shortcuts" | "server" | "compare" }
  /** `dropped` is imported at once. */
  | { readonly name: "models"; readonly dropped?: ModelPackage | undefined }
  /** Export and import; `files` are imported at once. */
  | { readonly name: "transfer"; readonly files: readonly File[] };
