// What every ChatPersistence promises, as named checks that throw where it does not keep it. Knows no test runner: the one in memory runs
// them under Node, the browser's in a browser (e2e/chat/chat-storage-page.ts).
import { allTurns } from "#chat/conversation/branches.ts";
import type { Conversation, Turn } from "#chat/conversation/conversation.ts";
import type { ChatPersistence } from "#chat/persistence/persistence.ts";

/** A place that is empty at first. */
interface Place {
  /** Another tab's view of it. */
  openTab(): ChatPersistence;
  /** Sets what `Date.now()` says; milliseconds since 1970. */
  setClock(now: number): void;
}

export interface PersistenceCheck {
  readonly name: string;
  readonly run: (place: Place) => Promise<void>;
}

function expectEqual(found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`expected ${b}, found ${a}`);
}

const pair = (name: string, pictures: readonly Blob[] = []): Turn[] => [
  {
    role: "user",
    id: `q-${name}`,
    text: `ask ${name}`,
    pictures: pictures.map((blob, index) => ({ id: `${name}-${index}`, name: `${index}.png`, blob })),
    at: 1,
  },
  { role: "assistant", id: `a-${name}`, text: `answer ${name}`, status: "done", at: 2 },
];
const named = (id: string, updatedAt = 1): Conversation => ({ id, updatedAt, turns: pair(id) });
const longer = (conversation: Conversation, name: string): Conversation => ({
  ...conversation,
  turns: [...conversation.turns, ...pair(name)],
});
/** Every text in the conversation's tree, in alphabetical order. */
const words = (conversation: Conversation | undefined): string[] | undefined =>
  conversation &&
  allTurns(conversation)
    .map(({ text }) => text)
    .sort();
const wordsOf = (...names: string[]): string[] => names.flatMap((name) => [`ask ${name}`, `answer ${name}`]).sort();
const ids = async (tab: ChatPersistence): Promise<string[]> => (await tab.list()).map(({ id }) => id);

async function turnsWithBytes(turns: readonly Turn[]): Promise<unknown[]> {
  return Promise.all(
    turns.map(async (turn) => {
      if (turn.role === "assistant") return [turn.id, turn.text, turn.status, turn.opinion, turn.usage];
      const pictures = turn.pictures.map(async ({ id, name, blob }) => [id, name, blob.type, await blob.text()]);
      return [turn.id, turn.text, await Promise.all(pictures)];
    }),
  );
}

/** Run each on a place of its own. */
export const persistenceContract: readonly PersistenceCheck[] = [
  {
    name: "an empty place has no conversation",
    run: async (place) => {
      const tab = place.openTab();
      expectEqual(await tab.list(), []);
      expectEqual([await tab.load(), await tab.open("c")], [undefined, undefined]);
    },
  },
  {
    name: "a saved conversation comes back with all its turns and its pictures' bytes",
    run: async (place) => {
      const [cat, dog] = ["cat", "dog"].map((text) => new Blob([text], { type: "image/png" }));
      if (cat === undefined || dog === undefined) return;
      const [question, answer] = pair("one", [cat, dog]);
      if (question === undefined || answer?.role !== "assistant") return;
      const usage = { promptTokens: 1, cachedTokens: 0, imageTokens: 4, newTokens: 3 };
      const conversation: Conversation = {
        id: "c",
        title: "A name",
        updatedAt: 5,
        memoryStart: "q-two",
        turns: [question, { ...answer, opinion: "up", usage }, ...pair("two", [cat])],
        branches: [{ after: "", turns: pair("other", [dog]) }],
      };
      const saved = await place.openTab().save(conversation);
      if (saved === "deleted") throw new Error("nobody deleted it");
      expectEqual(saved.unsavedPictures, 0);
      const back = await place.openTab().open("c");
      const { title, updatedAt, memoryStart, branches = [] } = back ?? { turns: [] };
      expectEqual([title, updatedAt, memoryStart], ["A name", 5, "q-two"]);
      expectEqual(await turnsWithBytes(back?.turns ?? []), await turnsWithBytes(conversation.turns));
      expectEqual(
        branches.map(({ after }) => after),
        [""],
      );
      expectEqual(await turnsWithBytes(branches[0]?.turns ?? []), await turnsWithBytes(pair("other", [dog])));
    },
  },
  {
    name: "the list has the newest conversation first, and tells what was said",
    run: async (place) => {
      const tab = place.openTab();
      for (const [id, updatedAt] of [
        ["old", 1],
        ["new", 3],
        ["between", 2],
      ] as const)
        await tab.save(named(id, updatedAt));
      await tab.save({ ...named("old", 1), title: "Named" });
      const list = await place.openTab().list();
      expectEqual(
        list.map(({ id, title, updatedAt }) => [id, title, updatedAt]),
        [
          ["new", "ask new", 3],
          ["between", "ask between", 2],
          ["old", "Named", 1],
        ],
      );
      expectEqual(list[2]?.words, "named\nask old\nanswer old");
    },
  },
  {
    name: "saves are carried out in the order of the calls",
    run: async (place) => {
      const tab = place.openTab();
      const conversation = named("c");
      await Promise.all([tab.save(conversation), tab.save(longer(conversation, "more"))]);
      expectEqual(words(await place.openTab().open("c")), wordsOf("c", "more"));
    },
  },
  {
    name: "the conversation shown last is loaded, unless it was removed or none was shown",
    run: async (place) => {
      const tab = place.openTab();
      for (const id of ["a", "b"]) await tab.save(named(id));
      await tab.setLast("a");
      expectEqual((await place.openTab().load())?.id, "a");
      await tab.remove("a");
      expectEqual(await place.openTab().load(), undefined);
      await tab.setLast("b");
      expectEqual((await place.openTab().load())?.id, "b");
      await tab.setLast(undefined);
      expectEqual(await place.openTab().load(), undefined);
    },
  },
  {
    name: "a tab replaces what it has opened or saved itself",
    run: async (place) => {
      await place.openTab().save(longer(named("c"), "more"));
      const tab = place.openTab();
      await tab.open("c");
      await tab.save(named("c"));
      expectEqual(words(await tab.open("c")), wordsOf("c"));
      await tab.save(longer(named("c"), "again"));
      await tab.save(named("c"));
      expectEqual(words(await place.openTab().open("c")), wordsOf("c"));
    },
  },
  {
    name: "where another tab has saved meanwhile, the conversation has what both say",
    run: async (place) => {
      const [one, two] = [place.openTab(), place.openTab()];
      const start = named("c");
      await one.save(start);
      await two.open("c");
      await one.save(longer(start, "one"));
      const saved = await two.save(longer(start, "two"));
      if (saved === "deleted") throw new Error("nobody deleted it");
      expectEqual(words(saved.conversation), wordsOf("c", "one", "two"));
      expectEqual(words(await one.open("c")), wordsOf("c", "one", "two"));
      // The tab that saved last goes on with what it shows.
      expectEqual(saved.conversation.turns.at(-1)?.text, "answer two");
    },
  },
  {
    name: "what another tab has deleted is not saved again",
    run: async (place) => {
      const [one, two] = [place.openTab(), place.openTab()];
      await one.save(named("c"));
      await two.remove("c");
      expectEqual(await one.save(longer(named("c"), "more")), "deleted");
      expectEqual(await ids(two), []);
    },
  },
  {
    name: "merging joins into what is stored, which stays shown, and brings back what was deleted; twice changes nothing",
    run: async (place) => {
      const [one, two] = [place.openTab(), place.openTab()];
      const start = named("c");
      await one.save(longer(start, "one"));
      const other = longer(start, "other");
      for (let time = 0; time < 2; time++) {
        const { conversation } = await two.merge(other);
        expectEqual(words(conversation), wordsOf("c", "one", "other"));
        expectEqual(conversation.turns.at(-1)?.text, "answer one");
      }
      await one.remove("c");
      await two.merge(other);
      expectEqual(words(await one.open("c")), wordsOf("c", "other"));
    },
  },
  {
    name: "a removed conversation is hidden until it is restored, joined with what was saved under its id meanwhile",
    run: async (place) => {
      const tab = place.openTab();
      await tab.save(named("c"));
      await tab.remove("c");
      expectEqual(await ids(tab), []);
      expectEqual(await tab.open("c"), undefined);
      await tab.restore("c");
      expectEqual(words(await tab.open("c")), wordsOf("c"));
      await tab.remove("c");
      await place.openTab().save({ ...named("c"), turns: pair("meanwhile") });
      await tab.restore("c");
      expectEqual(words(await tab.open("c")), wordsOf("c", "meanwhile"));
    },
  },
  {
    name: "restoring what was not removed, or was restored already, changes nothing",
    run: async (place) => {
      const tab = place.openTab();
      await tab.restore("c");
      expectEqual(await ids(tab), []);
      await tab.save(longer(named("c"), "more"));
      await tab.remove("c");
      await tab.restore("c");
      await tab.open("c");
      await tab.save(named("c"));
      await tab.restore("c");
      expectEqual(words(await tab.open("c")), wordsOf("c"));
    },
  },
  {
    name: "a purge forgets what was removed more than a minute ago, and nothing else",
    run: async (place) => {
      const tab = place.openTab();
      const picture = new Blob(["cat"]);
      await tab.save({ ...named("stays"), turns: pair("stays", [picture]) });
      for (const id of ["old", "young"]) await tab.save(named(id));
      place.setClock(1_000_000);
      await tab.remove("old");
      place.setClock(1_030_000);
      await tab.remove("young");
      place.setClock(1_061_000);
      await tab.purge();
      for (const id of ["old", "young"]) await tab.restore(id);
      expectEqual((await ids(tab)).sort(), ["stays", "young"]);
      const [question] = (await place.openTab().open("stays"))?.turns ?? [];
      expectEqual(question?.role === "user" && (await question.pictures[0]?.blob.text()), "cat");
    },
  },
  {
    name: "the other tabs hear of every change until they stop listening; the tab that makes it does not",
    run: async (place) => {
      const [one, two] = [place.openTab(), place.openTab()];
      const own: string[] = [];
      one.onChange((id) => own.push(id));
      const heard: string[] = [];
      let tell: (() => void) | undefined;
      const stop = two.onChange((id) => {
        heard.push(id);
        tell?.();
      });
      const after = async (change: Promise<unknown>, count: number): Promise<void> => {
        await change;
        while (heard.length < count) await new Promise<void>((resolve) => (tell = resolve));
      };
      await after(one.save(named("a")), 1);
      await after(one.merge(named("b")), 2);
      await after(one.remove("a"), 3);
      await after(one.restore("a"), 4);
      expectEqual(heard, ["a", "b", "a", "a"]);
      stop();
      let last: string | undefined;
      const late = new Promise<void>((resolve) => {
        place.openTab().onChange((id) => {
          last = id;
          resolve();
        });
      });
      await one.remove("b");
      await late;
      expectEqual([last, heard.length, own], ["b", 4, []]);
    },
  },
  {
    name: "what a page had asked for when it went is there for the next one, once",
    run: async (place) => {
      const leaving = place.openTab();
      await leaving.save(named("removed"));
      const calls = [leaving.save(named("c")), leaving.setLast("c"), leaving.remove("removed")];
      calls.push(leaving.save(longer(named("c"), "more")));
      leaving.noteUnfinished();
      const next = place.openTab();
      expectEqual((await next.load())?.id, "c");
      await Promise.all(calls);
      expectEqual(await ids(next), ["c"]);
      expectEqual(words(await place.openTab().open("c")), wordsOf("c", "more"));
    },
  },
];
