// Which tests took longest, from the reports that Vitest and Playwright write.

/** How many tests are named. */
const named = 10;

/** The tests of Vitest's report (.cache/unit.json): { name, ms }. */
export function unitTimes({ testResults }, root) {
  return testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults.map(({ fullName, duration }) => ({
      name: `${file.replace(root, "")}: ${fullName}`,
      ms: duration ?? 0,
    })),
  );
}

/** The tests of Playwright's report (.cache/e2e.json): { name, ms }. */
export function browserTimes({ suites }) {
  return suites.flatMap(({ file, specs = [], suites: inner = [] }) => [
    ...specs.map(({ title, tests }) => ({
      name: `e2e/${file}: ${title}`,
      ms: tests.flatMap(({ results }) => results).reduce((sum, { duration }) => sum + duration, 0),
    })),
    ...browserTimes({ suites: inner }),
  ]);
}

/** The slowest of them as lines to print. */
export function slowestLines(times) {
  return times
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, named)
    .map(({ name, ms }) => `${(ms / 1000).toFixed(1).padStart(6)} s  ${name}`);
}
