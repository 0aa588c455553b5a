// What the smoke run needs of a browser. Firefox is driven over WebDriver BiDi (firefox.ts), WebKit by its own WebDriver (webkit.ts).
export interface Browser {
  /** As the person who reads the result knows it, with its version. */
  readonly name: string;
  goto(url: string): Promise<void>;
  /** Runs the body of an async function in the page, with `argument` in scope; gives back what JSON can hold. */
  run<Result>(body: string, argument?: unknown): Promise<Result>;
  screenshot(file: string): Promise<void>;
  close(): Promise<void>;
}

/** Waits until `body` gives something true in the page; a failure names what was waited for. */
export async function waitFor(browser: Browser, what: string, body: string, limitMs = 120_000): Promise<void> {
  const end = Date.now() + limitMs;
  let last: unknown;
  while (Date.now() < end) {
    // A page that is being replaced cannot answer.
    last = await browser.run(body).catch((error: unknown) => String(error));
    if (last === true) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what} did not come within ${limitMs / 1000} s (last: ${JSON.stringify(last)})`);
}
