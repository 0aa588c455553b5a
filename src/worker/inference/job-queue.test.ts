import { expect, test } from "vitest";
import { createJobQueue, type JobWork } from "./job-queue.ts";

/** Work that goes on until it is ended or stopped; `log` tells when it began and how it ended. */
function longWork(name: string, log: string[]): { readonly work: JobWork<string>; readonly end: () => void } {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const work: JobWork<string> = async (signal) => {
    log.push(`${name} begins${signal.aborted ? " stopped" : ""}`);
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve());
    });
    await Promise.race([ended, stopped]);
    log.push(`${name} ends${signal.aborted ? " stopped" : ""}`);
    return name;
  };
  return { work, end };
}

/** Everything that can go on without an answer from outside has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test("two calls at once: the second begins when the first has ended, and each gets its own result", async () => {
  const queue = createJobQueue();
  const log: string[] = [];
  const [first, second] = [longWork("first", log), longWork("second", log)];
  const results = [queue.run(first.work), queue.run(second.work)];
  await settled();
  expect(log).toEqual(["first begins"]);
  second.end();
  await settled();
  expect(log).toEqual(["first begins"]);
  first.end();
  expect(await Promise.all(results)).toEqual(["first", "second"]);
  expect(log).toEqual(["first begins", "first ends", "second begins", "second ends"]);
});

test("a stop in between ends the running job alone, and the waiting one runs whole", async () => {
  const queue = createJobQueue();
  const log: string[] = [];
  const [first, second] = [longWork("first", log), longWork("second", log)];
  const results = [queue.run(first.work, "1"), queue.run(second.work, "2")];
  await settled();
  queue.stop("1");
  await settled();
  expect(log).toEqual(["first begins", "first ends stopped", "second begins"]);
  second.end();
  await Promise.all(results);
  expect(log.at(-1)).toBe("second ends");
});

test("a failure in the first is its caller's alone", async () => {
  const queue = createJobQueue();
  const failing = queue.run(() => Promise.reject(new Error("out of memory")));
  const second = queue.run(() => Promise.resolve("fine"));
  await expect(failing).rejects.toThrow("out of memory");
  await expect(second).resolves.toBe("fine");
});

test("a throw before the first await is a failure like any other", async () => {
  const queue = createJobQueue();
  const failing = queue.run(() => {
    throw new Error("at once");
  });
  await expect(failing).rejects.toThrow("at once");
  await expect(queue.run(() => Promise.resolve("fine"))).resolves.toBe("fine");
});

test("a job that is stopped while it waits ends in its turn, and the running one goes on", async () => {
  const queue = createJobQueue();
  const log: string[] = [];
  const [first, second] = [longWork("first", log), longWork("second", log)];
  const results = [queue.run(first.work, "1"), queue.run(second.work, "2")];
  await settled();
  queue.stop("2");
  await settled();
  expect(log).toEqual(["first begins"]);
  first.end();
  await Promise.all(results);
  expect(log).toEqual(["first begins", "first ends", "second begins stopped", "second ends stopped"]);
});

test("a stop without a name ends all jobs, running and waiting", async () => {
  const queue = createJobQueue();
  const log: string[] = [];
  const results = ["first", "second"].map((name) => queue.run(longWork(name, log).work, name));
  await settled();
  queue.stop();
  await Promise.all(results);
  expect(log).toEqual(["first begins", "first ends stopped", "second begins stopped", "second ends stopped"]);
});

test("idle work runs only while nothing else does, and gives way to every later job", async () => {
  const queue = createJobQueue();
  const log: string[] = [];
  const job = longWork("job", log);
  const running = queue.run(job.work);
  await queue.runIdle(() => Promise.resolve(void log.push("idle work beside a job")));
  job.end();
  await running;

  const older = queue.runIdle((signal) => longWork("older", log).work(signal));
  const newer = queue.runIdle((signal) => longWork("newer", log).work(signal));
  await Promise.all([older, settled()]);
  expect(log.splice(0)).toEqual(["job begins", "job ends", "newer begins"]);
  const asked = queue.run(() => Promise.resolve(void log.push("asked")));
  await Promise.all([newer, asked]);
  expect(log).toEqual(["newer ends stopped", "asked"]);
});

test("idle work that is stopped before its turn does not begin, and its failure stops nobody", async () => {
  const queue = createJobQueue();
  const begun: string[] = [];
  const stopped = queue.runIdle(() => Promise.resolve(void begun.push("idle work")), "ahead");
  queue.stop("ahead");
  await stopped;
  expect(begun).toEqual([]);
  await expect(queue.runIdle(() => Promise.reject(new Error("no picture")))).rejects.toThrow("no picture");
  await expect(queue.run(() => Promise.resolve("fine"))).resolves.toBe("fine");
});
