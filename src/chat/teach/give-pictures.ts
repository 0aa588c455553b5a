// Gives pictures to a lesson's cards: opens the files one after another and counts what becomes of them.
import type { Picture } from "#chat/conversation/conversation.ts";
import type { OpenedPicture, PictureProblem } from "#chat/pictures/pictures.web.ts";
import type { GivenGroup } from "./given-pictures.ts";
import type { LessonKeeper } from "./lesson-keeper.ts";
import { addCard, addPictures, cardWithSame, changeCard, newCard, type LessonPicture } from "./lesson.ts";
import type { GivenOutcome } from "./lessons-state.ts";

export interface Giving {
  readonly keeper: LessonKeeper;
  readonly openPicture: (file: Blob, name: string) => Promise<OpenedPicture>;
  readonly fetchPicture: (address: string) => Promise<OpenedPicture>;
  /** The same for the same bytes. */
  readonly keyOf: (picture: Picture) => Promise<string>;
  readonly newId: () => string;
}

/** To the card, or to the cards that folders are named after. */
export async function giveFiles(
  giving: Giving,
  lessonId: string,
  groups: readonly GivenGroup[],
  cardId: string | undefined,
): Promise<void> {
  const work = groups.flatMap(({ answer, files }) => {
    const card = cardId ?? cardFor(giving, lessonId, answer);
    if (card === undefined) return [];
    return files.map((file): Opening => ({ card, name: file.name, open: () => giving.openPicture(file, file.name) }));
  });
  await openAll(giving, lessonId, work);
}

/** The picture at an address. */
export async function giveAddress(
  giving: Giving,
  lessonId: string,
  address: string,
  cardId: string | undefined,
): Promise<void> {
  const card = cardId ?? cardFor(giving, lessonId, undefined);
  if (card === undefined) return;
  await openAll(giving, lessonId, [{ card, name: address, open: () => giving.fetchPicture(address) }]);
}

/** A picture on its way to a card. */
interface Opening {
  readonly card: string;
  readonly name: string;
  readonly open: () => Promise<OpenedPicture>;
}

async function openAll(giving: Giving, lessonId: string, work: readonly Opening[]): Promise<void> {
  const tally = createTally();
  for (const { card } of work) countOpening(giving, card, 1);
  for (const { card, name, open } of work) {
    const opened = await open().catch((error: unknown): OpenedPicture => {
      console.warn(`${name} could not be opened:`, error);
      return { ok: false, name, problem: "unreadable" };
    });
    if (opened.ok) await addOne(giving, lessonId, card, opened.picture, tally);
    else tally.unusable(opened.problem, opened.name);
    countOpening(giving, card, -1);
  }
  showOutcome(giving, lessonId, tally);
}

/** Pictures that are open already. */
export async function givePictures(
  giving: Giving,
  lessonId: string,
  cardId: string,
  pictures: readonly Picture[],
): Promise<void> {
  const tally = createTally();
  for (const picture of pictures) await addOne(giving, lessonId, cardId, { ...picture, id: giving.newId() }, tally);
  showOutcome(giving, lessonId, tally);
}

/** Adds one picture, unless it is there; the tally tells why not. */
async function addOne(
  { keeper, keyOf }: Giving,
  lessonId: string,
  cardId: string,
  picture: Picture,
  tally: Tally,
): Promise<void> {
  const key = await keyOf(picture);
  const lesson = keeper.find(lessonId);
  const card = lesson?.cards.find(({ id }) => id === cardId);
  // Removed meanwhile.
  if (lesson === undefined || card === undefined) return;
  if (card.pictures.some((held) => held.key === key)) {
    if (keeper.isKept(key)) return tally.same();
    // It is there by name only, because its bytes found no room.
    keeper.apply(lessonId, (kept) => kept, [{ key, picture }]);
    return tally.added();
  }
  const other = cardWithSame(lesson, cardId, key);
  if (other !== undefined) return tally.otherCard(other.answer);
  const held: LessonPicture = { id: picture.id, name: picture.name, key };
  keeper.apply(lessonId, (kept) => kept && addPictures(kept, cardId, [held]), [{ key, picture }]);
  tally.added();
}

/** The card that files from a folder of this name belong to; begun where there is none. */
function cardFor({ keeper, newId }: Giving, lessonId: string, answer: string | undefined): string | undefined {
  const lesson = keeper.find(lessonId);
  if (lesson === undefined) return undefined;
  const named = lesson.cards.find(
    (card) => answer !== undefined && card.answer.trim().toLowerCase() === answer.toLowerCase(),
  );
  if (named !== undefined) return named.id;
  const blank = lesson.cards.find((card) => card.answer.trim() === "" && card.pictures.length === 0);
  const id = blank?.id ?? newId();
  keeper.apply(lessonId, (kept) => {
    if (kept === undefined) return undefined;
    if (blank === undefined) return addCard(kept, newCard(id, answer));
    return answer === undefined ? kept : changeCard(kept, id, (card) => ({ ...card, answer }));
  });
  return id;
}

function countOpening({ keeper }: Giving, cardId: string, more: number): void {
  keeper.cell.update((state) => {
    const opening = new Map(state.opening);
    const count = (opening.get(cardId) ?? 0) + more;
    if (count > 0) opening.set(cardId, count);
    else opening.delete(cardId);
    return { ...state, opening };
  });
}

function showOutcome({ keeper }: Giving, lessonId: string, tally: Tally): void {
  keeper.cell.update((state) => ({ ...state, given: { lessonId, ...tally.outcome() } }));
}

interface Tally {
  added(): void;
  same(): void;
  otherCard(answer: string): void;
  unusable(problem: PictureProblem, name: string): void;
  outcome(): Pick<GivenOutcome, "added" | "troubles">;
}

function createTally(): Tally {
  let added = 0;
  let same = 0;
  const others = new Map<string, number>();
  const unusable = new Map<PictureProblem, string[]>();
  return {
    added() {
      added++;
    },
    same() {
      same++;
    },
    otherCard: (answer) => void others.set(answer, (others.get(answer) ?? 0) + 1),
    unusable: (problem, name) => void unusable.set(problem, [...(unusable.get(problem) ?? []), name]),
    outcome: () => ({
      added,
      troubles: [
        ...(same > 0 ? [{ kind: "same", count: same } as const] : []),
        ...[...others].map(([answer, count]) => ({ kind: "other-card", count, answer }) as const),
        ...[...unusable].map(([problem, names]) => ({ kind: "unusable", problem, names }) as const),
      ],
    }),
  };
}
