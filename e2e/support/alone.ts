// Marks a test that measures: no other test runs beside it (playwright.config.ts).

/** For a test's details. */
export const alone = { tag: "@alone" } as const;
