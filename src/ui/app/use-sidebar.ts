// Whether the list of conversations is open, and in which form: a column beside the page where the window is wide, else a drawer over it.
// Only the column is remembered for the next visit.
import { useSignal } from "@preact/signals";
import { useMedia } from "#ui/parts/use-media.ts";
import type { PreferencesFeature } from "./features.ts";

export interface SidebarState {
  readonly isOpen: boolean;
  readonly form: "column" | "drawer";
  /** The keyboard goes to the search at once. */
  readonly isSearching: boolean;
  readonly toggle: () => void;
  readonly search: () => void;
  readonly close: () => void;
  /** Closes the drawer after something was chosen in it; a column stays. */
  readonly closeDrawer: () => void;
}

export function useSidebar({ state, change }: PreferencesFeature): SidebarState {
  const opened = useSignal<"closed" | "open" | "searching">("closed");
  const wide = useMedia("(min-width: 64rem)");
  const preferences = state.value;
  const isOpen = opened.value !== "closed" || (wide && preferences.sidebar === true);
  const close = (): void => {
    opened.value = "closed";
    if (wide) change({ ...preferences, sidebar: false });
    document.getElementById("toggle-sidebar")?.focus();
  };
  return {
    isOpen,
    form: wide ? "column" : "drawer",
    isSearching: opened.value === "searching",
    toggle() {
      if (isOpen) return close();
      opened.value = "open";
      if (wide) change({ ...preferences, sidebar: true });
    },
    search() {
      opened.value = "searching";
    },
    close,
    closeDrawer() {
      if (!wide) opened.value = "closed";
    },
  };
}
