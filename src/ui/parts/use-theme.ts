// Puts the chosen theme on the page and says whether it is dark now.
import { useEffect, useState } from "preact/hooks";
import type { Theme } from "#chat/preferences.ts";

/** "system" follows the system while the page is open. */
export function useTheme(theme: Theme): { readonly dark: boolean } {
  const [systemDark, setSystemDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const note = (): void => setSystemDark(query.matches);
    query.addEventListener("change", note);
    return () => query.removeEventListener("change", note);
  }, []);
  const dark = theme === "dark" || (theme === "system" && systemDark);
  useEffect(() => {
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
    const background = getComputedStyle(document.documentElement).getPropertyValue("--page").trim();
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", background);
  }, [dark]);
  return { dark };
}
